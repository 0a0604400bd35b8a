"""Breaks what can break: each time the page says what happened, and a retry brings it back."""

import functools
import http.server
import re
import threading
import zipfile
from contextlib import suppress

import pytest
from playwright.sync_api import Error, expect

from browser.conftest import Site, Watch, asset, serving
from browser.digits import DIGITS

BROKEN = r"console: |response: 404|request failed"
BROKEN += r"|page error: (Unexpected token '<'|Failed to fetch)"

# Path in the site -> what the message must name. The list of networks comes first, since the page
# asks for it once only.
NAMED = {
    "weights/index.json": "weights/index.json",
    "pyscript.json": "pyscript-",  # then its hash, and .json
    "worker.py": "worker.py",
    "app/python.js": "python.js",
    "runtime/pyodide/pyodide.mjs": "pyodide.mjs",
    "runtime/pyodide/pyodide.asm.mjs": "pyodide.asm.mjs",
    "runtime/pyodide/pyodide.asm.wasm": "pyodide.asm.wasm",
    "runtime/later/pyodide.asm.wasm": "pyodide.asm",
    "runtime/pyodide/python_stdlib.zip": "python_stdlib.zip",
    "runtime/pyodide/pyodide-lock.json": "pyodide-lock.json",
    "runtime/pyodide/numpy-*.whl": "numpy",
    "pynet/nn/network.py": "network.py",
    "weights/*.npz": "weights/",
}


def missing(route):
    """Answer a request as a server does that lacks the file."""
    route.fulfill(status=404, content_type="text/html", body="<h1>Not found</h1>")


def test_each_missing_asset_is_named_and_a_retry_recovers(new_site, site, watch):
    """Each file gone in turn: the message names it; at last, with all back, a retry works."""
    watch.allow(BROKEN)
    page = new_site()
    page.page.route(asset(site, "runtime/snapshot.bin"), missing)  # else most are not asked for
    for path, name in NAMED.items():
        gone = asset(site, path)
        page.page.route(gone, missing)
        if page.page.url == "about:blank":
            page.open(site)
        else:
            page.retry.click()
        page.expect_state("error")
        expect(page.status).to_contain_text(name)
        expect(page.status).to_contain_text("Retry")
        page.page.unroute(gone)
    page.draw(DIGITS[7][0])
    page.retry.click()
    page.expect_state("ready").expect_digit(7)
    expect(page.retry).to_be_hidden()


@pytest.mark.parametrize("path", ["runtime/pyscript/core.js", "app/store.js", "app/main.js"])
def test_missing_module_of_the_page(new_site, site, watch, path):
    """Without a module of its own the page still says so, and a retry loads it anew."""
    watch.allow(BROKEN)
    page = new_site()
    page.page.route(asset(site, "runtime/snapshot.bin"), missing)  # with it PyScript may come late
    gone = asset(site, path)
    page.page.route(gone, missing)
    page.open(site).expect_state("error")
    expect(page.status).to_contain_text("Retry")
    page.page.unroute(gone)
    page.retry.click()
    page.expect_state("ready")


def test_python_from_the_snapshot_goes_on_without_pyscript(new_site, site, watch):
    """Python that runs already answers by itself where PyScript does not come."""
    watch.allow(BROKEN)
    page = new_site()
    page.page.route(asset(site, "runtime/pyscript/core.js"), missing)
    with page.page.expect_console_message(lambda each: "without PyScript" in each.text):
        page.open(site).expect_state("ready")
    for digit in (7, 1):
        page.draw(DIGITS[digit][0])
        page.expect_digit(digit)
        page.page.get_by_test_id("clear").click()


def test_missing_style_sheet_is_said(new_site, site, watch):
    """Without its style sheet the page works and says what is missing."""
    watch.allow(BROKEN)
    page = new_site()
    page.page.route(asset(site, "style.css"), missing)
    page.open(site)
    expect(page.page.get_by_text("The style sheet did not arrive")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "runtime/pyodide/pyodide.asm.wasm",
        "runtime/pyodide/python_stdlib.zip",
        "runtime/pyodide/numpy-*.whl",
        "weights/*.npz",
    ],
)
def test_truncated_asset(new_site, site, dist, watch, path):
    """A file cut in half fails with a message, and a retry with the whole file works."""
    watch.allow(BROKEN)
    page = new_site()

    def cut(route):
        whole = (dist / route.request.url.removeprefix(site)).read_bytes()
        route.fulfill(status=200, body=whole[: len(whole) // 2])

    damaged = asset(site, path)
    page.page.route(asset(site, "runtime/snapshot.bin"), missing)  # else most are not asked for
    page.page.route(damaged, cut)
    page.open(site).expect_state("error")
    expect(page.status).to_contain_text("Retry")
    assert "\n" not in page.status.inner_text()
    page.page.unroute(damaged)
    page.retry.click()
    page.expect_state("ready")


def test_broken_weights_are_named(new_page, watch, copy_of_site):
    """A damaged network gives one line that names the file; the others still work."""
    (path,) = copy_of_site.glob("weights/mlp-*.npz")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.npy", b"nonsense")
    with serving(copy_of_site) as url:
        watch.origin = url
        page = Site(new_page()).open(url).expect_state("ready")
        page.model.select_option("mlp")
        page.draw(DIGITS[1][0])
        page.expect_state("error")
        expect(page.status).to_contain_text("weights/mlp.npz: meta")
        assert "\n" not in page.status.inner_text()
        page.expect_digit(None)
        page.model.select_option("classic-relu")
        page.expect_state("ready").expect_digit(1)


def test_killed_worker_is_replaced_and_a_second_time_reported(new_site, site):
    """The page notices at once that its worker died, and starts another without losing the ink."""
    page = new_site().open(site).expect_state("ready")
    page.draw(DIGITS[7][0])
    page.expect_digit(7)
    page.page.workers[0].evaluate("self.close()")
    page.expect_state("loading").expect_state("ready").expect_digit(7)
    page.page.workers[0].evaluate("self.close()")
    page.expect_state("error")
    expect(page.status).to_contain_text("Python stopped")
    page.expect_digit(None)
    page.retry.click()
    page.expect_state("ready").expect_digit(7)


def let_go(page, held):
    """End requests that have been held back, whose pages may be gone, and hold none any more."""
    for route in held:
        with suppress(Error):
            route.abort()
    page.page.unroute_all(behavior="ignoreErrors")


def test_worker_killed_while_it_starts(new_site, site):
    """A worker that dies before it is ready is an error, not an endless wait."""
    page = new_site()
    held = []
    page.page.route(
        asset(site, "runtime/pyodide/pyodide.asm.wasm"), lambda route: held.append(route)
    )

    def watched():
        return page.page.evaluate("async () => (await navigator.locks.query()).pending.length")

    with page.page.expect_worker() as worker:
        page.open(site)
    while not watched():
        page.page.wait_for_timeout(10)
    with page.page.expect_worker() as another:  # for a start without the snapshot
        worker.value.evaluate("self.close()")
    while not watched():
        page.page.wait_for_timeout(10)
    another.value.evaluate("self.close()")
    page.expect_state("error")
    let_go(page, held)
    page.retry.click()
    page.expect_state("ready")


def test_start_without_progress_ends(new_site, site, watch):
    """A server that never answers leads to an error once the time is over."""
    watch.allow("request failed")
    page = new_site()
    page.page.clock.install()
    held = []
    page.page.route(
        asset(site, "runtime/pyodide/pyodide.asm.wasm"), lambda route: held.append(route)
    )
    page.open(site)
    expect(page.status).to_contain_text(re.compile(r"Python: [1-9]"))
    while page.root.get_attribute("data-state") == "loading":
        page.page.clock.run_for(61_000)  # a report that is still on its way begins the time anew
    page.expect_state("error")
    expect(page.status).to_contain_text("no progress")
    let_go(page, held)


def test_hanging_worker_is_replaced(new_site, site):
    """A worker that does not answer is ended and started again."""
    page = new_site()
    page.page.clock.install()
    page.open(site).expect_state("ready")
    page.page.workers[0].evaluate("setTimeout(() => { for (;;); })")
    page.draw(DIGITS[7][0])
    page.page.clock.run_for(16_000)
    page.expect_state("loading").expect_state("ready").expect_digit(7)


def test_no_webassembly(new_site, site):
    """A browser without WebAssembly is told what it needs."""
    page = new_site()
    page.page.add_init_script("delete window.WebAssembly")
    page.open(site).expect_state("error")
    expect(page.status).to_contain_text("WebAssembly")


def test_no_javascript(new_site, site, watch):
    """Without JavaScript the page says that it needs it."""
    watch.allow(r"request failed: .*\.js csp")  # what the page would have preloaded
    page = new_site(java_script_enabled=False)
    page.page.goto(site)
    expect(page.page.get_by_text("This page needs JavaScript")).to_be_visible()


def test_opened_as_a_file(browser, dist):
    """From file:// the page says how to serve it."""
    watch = Watch("file://")
    watch.allow("console: |request failed")
    context = browser.new_context()
    watch.attach(context)
    page = Site(context.new_page())
    page.page.goto((dist / "index.html").as_uri())
    page.expect_state("error")
    expect(page.page.get_by_text("python -m http.server")).to_be_visible()
    expect(page.retry).to_be_hidden()
    watch.check()
    context.close()


def test_foreign_origins_are_not_needed(new_page, site, watch):
    """With every other origin blocked nothing is even asked of one, and the page works."""
    page = Site(new_page())
    asked = []

    def block(route):
        if route.request.url.startswith(site):
            return route.continue_()
        asked.append(route.request.url)
        return route.abort()

    page.page.context.route("**/*", block)
    page.open(site).expect_state("ready")
    page.draw(DIGITS[7][0])
    page.expect_digit(7)
    assert asked == []


def test_plain_python_server_under_a_path(new_page, watch, dist, tmp_path):
    """The site runs below a path on Python's own http.server, without any special header."""
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "path").symlink_to(dist)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    watch.origin = f"http://127.0.0.1:{server.server_address[1]}/some/path/"
    page = Site(new_page()).open(watch.origin).expect_state("ready")
    page.draw(DIGITS[7][0])
    page.expect_digit(7)
    page.page.goto("about:blank")  # closes its connections
    server.shutdown()
    server.server_close()
