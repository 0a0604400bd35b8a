"""Take the pictures of the page that the README shows: ``python docs/screenshots.py``.

Builds the site into a folder of its own, serves it with build.py, draws a 5 with the mouse in
Chromium, waits for the answer, and writes docs/images/page-*.png. Needs the extra `test`.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from drawings import ink
from drawings.style import shrink
from playwright.sync_api import Error, expect, sync_playwright

import build
from builder.console import BuildError

IMAGES = Path(__file__).resolve().parent / "images"
BOOT = 90_000  # milliseconds, for a slow machine

# Name, then what Playwright's new_page takes: a desktop in both schemes, and a small telephone.
SHOTS = {
    "page-light.png": {"viewport": {"width": 1440, "height": 980}, "color_scheme": "light"},
    "page-dark.png": {"viewport": {"width": 1440, "height": 980}, "color_scheme": "dark"},
    "page-narrow.png": {
        "viewport": {"width": 320, "height": 780},
        "color_scheme": "light",
        "device_scale_factor": 2,
    },
}


@contextmanager
def served(runtime):
    """Build the site and yield the address at which it is served."""
    with tempfile.TemporaryDirectory() as folder:
        build.build(Path(folder) / "dist", runtime)
        server = build.make_server(Path(folder) / "dist", 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            server.server_close()


def draw_five(page):
    """Draw a 5 into the middle of the pad with the mouse."""
    pad = page.get_by_test_id("pad")
    pad.scroll_into_view_if_needed()
    area = pad.bounding_box()
    strokes = ink.five()
    low = min(stroke.min() for stroke in strokes)
    high = max(stroke.max() for stroke in strokes)
    for stroke in strokes:
        # The path, enlarged to the middle three fifths of the pad.
        points = 0.2 + 0.6 * (stroke - low) / (high - low)
        points[:, 0] += 0.5 - 0.2 - 0.6 * (150 - low) / (high - low)
        places = points * [area["width"], area["height"]] + [area["x"], area["y"]]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()


def take(browser, url, name, options):
    """Take one picture of the page, once it has answered."""
    page = browser.new_page(reduced_motion="reduce", **options)
    page.goto(url)
    draw_five(page)
    expect(page.locator("html")).to_have_attribute("data-state", "ready", timeout=BOOT)
    expect(page.get_by_test_id("prediction")).to_have_attribute("data-digit", "5", timeout=BOOT)
    page.mouse.move(0, 0)
    page.evaluate("window.scrollTo(0, 0)")
    path = IMAGES / name
    page.screenshot(path=path, animations="disabled")
    shrink(path)
    page.close()
    print(f"{path}: {path.stat().st_size:,} bytes")


def main(arguments=None):
    """Take all pictures and return the exit code."""
    parser = argparse.ArgumentParser(prog="docs/screenshots.py", description=__doc__.split("\n")[0])
    parser.add_argument("--runtime", type=Path, metavar="DIR", help="as for build.py")
    options = parser.parse_args(arguments)
    chromium = os.environ.get("PYNET_CHROMIUM") or shutil.which("chromium")
    try:
        with served(options.runtime) as url, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for name, shot in SHOTS.items():
                take(browser, url, name, shot)
            browser.close()
    except (BuildError, Error, AssertionError, OSError) as error:
        print(f"docs/screenshots.py: {str(error).strip().splitlines()[0]}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
