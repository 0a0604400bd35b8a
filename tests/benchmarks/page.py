"""Milliseconds from pen to answer: pynet's page beside TensorFlow.js and onnxruntime-web.

Builds the site, serves it with build.py's own server, and draws with real mouse events in headless
Chromium. Beside it three pages do the same with the same weights in another runtime: TensorFlow.js
on its cpu and its wasm backend, and onnxruntime-web on wasm. All run in one browser, in turns of a
few drawings, and every answer is compared with CPython's for the strokes that the page recorded:
where one differs by more than 1e-3, the comparison is void and the command fails.

    python tests/benchmarks/page.py [--networks ...] [--drawings N] [--offline]

What is timed, the same on all sides: from ``event.timeStamp`` of the last pointer event that
changed the ink, which is when the browser got the event, to the moment after the answer was put in
the page: the ``milliseconds`` of pynet:prediction. It holds the browser's own wait until it hands
the event to the page (next to none for raw moves), a drawing still being classified when the last
event arrives, strokes to 28x28 pixels, the network, and the change of the page, but not the
painting of it. The column "before the page" is that wait: what no page can change.

Where pynet does more: its worker is sent the ink and sends back the picture, which it shows too.
The others run in the page's own thread, on one thread as a host without special headers leaves
them, with batch norms folded and activations fused; their strokes become pictures in JavaScript.

Needs the package playwright, Chromium and, the first time, npm. A benchmark is no test: nothing
here asserts a time.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

try:
    import numpy as np
    from playwright.sync_api import expect, sync_playwright
except ImportError as error:
    sys.exit(f"this benchmark needs playwright: {error}")

from benchmarks import export, machine
from browser.digits import drawings

import build
from builder.files import cache_folder
from builder.networks import weights
from builder.pinned import PYODIDE
from pynet import load, strokes_to_image
from pynet.nn.certainty import Certainty

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-3  # of a probability
LEAST_SIDE = 0.06  # as in web/worker.py
TURN = 25  # drawings of one side before the next has its turn
POINTS = 8  # of each stroke: a quick hand's, at 60 events a second
WARM_UP = 5  # drawings at the start of each side, uncounted

# npm package -> version, and the files of its dist/ that the pages load.
NPM = {
    "@tensorflow/tfjs-core": ("4.22.0", ["tf-core.min.js"]),
    "@tensorflow/tfjs-backend-cpu": ("4.22.0", ["tf-backend-cpu.min.js"]),
    "@tensorflow/tfjs-backend-wasm": (
        "4.22.0",
        ["tf-backend-wasm.min.js", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm.wasm"],
    ),
    "onnxruntime-web": (
        "1.30.0",
        ["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"],
    ),
}
RUNTIMES = {
    "tfjs-cpu": "TensorFlow.js, cpu",
    "tfjs-wasm": "TensorFlow.js, wasm",
    "onnxruntime-web": "onnxruntime-web, wasm",
}

# Keeps the answer to the newest ink, with the time at which that ink was handed to the page.
OBSERVE = """
let [ink, answer, resolveAnswer] = [null, null, null];
const note = event => {
    // A pointerup comes where the last move was: no new ink. Nor is a move that came raw before.
    if (!event.buttons || event.timeStamp === ink?.stamp) return;
    ink = {stamp: event.timeStamp, handed: performance.now()};
    answer = null;
};
addEventListener('pointerdown', note, true);
addEventListener('pointerrawupdate', note, true);
addEventListener('pointermove', note, true);
document.addEventListener('pynet:prediction', ({detail: {probabilities, milliseconds}}) => {
    if (!ink || Math.abs(performance.now() - milliseconds - ink.stamp) > 1) return; // older ink's
    answer = {probabilities, milliseconds, before: ink.handed - ink.stamp};
    resolveAnswer?.(answer);
});
window.nextAnswer = () => new Promise(resolve => {
    resolveAnswer = resolve;
    if (answer) resolve(answer);
});
window.forget = () => { ink = answer = resolveAnswer = null; };
"""


def fetch_packages(offline):
    """Return the folder with the pinned files of `NPM`, fetched by npm where they are missing."""
    folder = cache_folder() / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (version, files) in NPM.items():
        if all((folder / version / file).exists() for file in files):
            continue
        if offline:
            sys.exit(f"{name}@{version} is not in {folder}; run once without --offline")
        with tempfile.TemporaryDirectory() as scratch:
            command = ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination"]
            subprocess.run([*command, scratch], check=True, stdout=subprocess.DEVNULL)
            (folder / version).mkdir(exist_ok=True)
            with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
                for file in files:
                    data = archive.extractfile(f"package/dist/{file}").read()
                    (folder / version / file).write_bytes(data)
    return folder


def make_site(folder, networks, offline):
    """Build pynet's site in `folder`, with the others' pages and weights under rivals/."""
    packages = fetch_packages(offline)
    build.build(folder, None, offline)
    rivals = folder / "rivals"
    shutil.copytree(Path(__file__).parent / "rivals", rivals)
    (app,) = folder.glob("app-*")  # by a name that the rivals' modules can know
    shutil.copytree(app, folder / "app")
    (rivals / "npm").mkdir()
    for version, files in NPM.values():
        for file in files:
            shutil.copy(packages / version / file, rivals / "npm")
    (rivals / "networks").mkdir()
    for name, network in networks.items():
        folded = network.fold()
        layers, values = export.to_layers(folded)
        (rivals / "networks" / f"{name}.json").write_bytes(layers)
        (rivals / "networks" / f"{name}.bin").write_bytes(values)
        (rivals / "networks" / f"{name}.onnx").write_bytes(export.to_onnx(folded))


class Side:
    """A page that answers drawings, opened and ready."""

    certainty = Certainty()  # the others show the network's probabilities as they are

    def __init__(self, browser, url, name):
        self.name = name
        self.context = browser.new_context(viewport={"width": 1024, "height": 900})
        self.page = self.context.new_page()
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.add_init_script(OBSERVE)
        self.page.goto(url)
        self.pad = self.page.get_by_test_id("pad")
        self.wait_until_ready()
        self.box = self.pad.bounding_box()

    def wait_until_ready(self):
        """Wait until it can answer; what the page reports in vain ends the benchmark."""
        try:
            root = self.page.locator("html")
            expect(root).to_have_attribute("data-state", "ready", timeout=120_000)
        except AssertionError:
            sys.exit(f"{self.name} did not start: {'; '.join(self.errors) or 'no error shown'}")

    def answer(self, strokes):
        """Draw and return what the last event led to: milliseconds, before, probabilities."""
        mouse, box = self.page.mouse, self.box
        for stroke in strokes:
            places = [
                (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke
            ]
            mouse.move(*places[0])
            mouse.down()
            for place in places[1:]:
                mouse.move(*place)
            mouse.up()
        return self.page.evaluate("nextAnswer()")

    def recorded(self):
        """Return the strokes that the page has and take them away."""
        strokes = self.page.evaluate(self.take)
        self.page.evaluate("forget()")
        return [[(point["x"], point["y"]) for point in stroke] for stroke in strokes]


class Pynet(Side):
    """pynet's own page."""

    take = """async () => {
        const app = document.querySelector('script[type=module]').src;
        const modules = ['store.js', 'ink.js'].map(name => import(new URL(name, app)));
        const [store, ink] = await Promise.all(modules);
        const {strokes} = store.get();
        ink.clear();
        return strokes;
    }"""

    def __init__(self, browser, url, network):
        super().__init__(browser, url, "pynet (numpy in Pyodide)")
        self.certainty = Certainty.of(load(ROOT / "weights" / f"{network}.npz")[1])
        choice = self.page.get_by_test_id("model")
        if choice.input_value() != network:
            choice.select_option(network)
            expect(choice).to_have_value(network)
            self.wait_until_ready()


class Rival(Side):
    """The page of another runtime."""

    take = """async () => {
        const page = await import('./rival.js');
        const {strokes} = page.state;
        page.clear();
        return strokes;
    }"""

    def __init__(self, browser, url, network, runtime):
        address = f"{url}rivals/rival.html?runtime={runtime}&network={network}"
        super().__init__(browser, address, RUNTIMES[runtime])


def resample(stroke, count):
    """Return `count` points at even distances along a stroke."""
    points = np.asarray(stroke)
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    at = np.linspace(0, along[-1], count)
    return np.column_stack([np.interp(at, along, axis) for axis in points.T]).tolist()


def measure(sides, network, count):
    """Return for each side all milliseconds, all waits, and the largest difference from CPython."""
    made = [[resample(s, POINTS) for s in strokes] for _, strokes in drawings(count, seed=3)]
    found = {side.name: ([], [], []) for side in sides}

    def once(side, strokes):
        answer = side.answer(strokes)
        image = strokes_to_image(side.recorded(), min_side=LEAST_SIDE)
        expected = side.certainty.calibrate(network.predict_proba(image[None, :, :, None]))[0]
        difference = float(np.abs(expected - answer["probabilities"]).max())
        return answer["milliseconds"], answer["before"], difference

    for side in sides:
        side.page.bring_to_front()
        for strokes in made[:WARM_UP]:
            once(side, strokes)
    for start in range(0, count, TURN):
        for side in sides:
            side.page.bring_to_front()
            for strokes in made[start : start + TURN]:
                for values, value in zip(found[side.name], once(side, strokes), strict=True):
                    values.append(value)
    return found


def row(network, side, milliseconds, before, differences):
    """Return one line of the table."""
    own = [total - wait for total, wait in zip(milliseconds, before, strict=True)]
    cells = [f"{np.percentile(v, q):.1f}" for v in (milliseconds, own) for q in (50, 95)]
    cells.append(f"{statistics.median(before):.1f}")
    return f"| {network} | {side} | {' | '.join(cells)} | {max(differences):.0e} |"


def main():
    """Measure what the arguments ask for and print it."""
    shipped = [entry["name"] for entry in json.loads(weights()["weights/index.json"])]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=shipped, default=shipped)
    parser.add_argument("--drawings", type=int, default=200)
    parser.add_argument("--offline", action="store_true", help="use only what the caches hold")
    parser.add_argument("--chromium", default=os.environ.get("PYNET_CHROMIUM"))
    arguments = parser.parse_args()
    networks = {name: load(ROOT / "weights" / f"{name}.npz")[0] for name in arguments.networks}
    chromium = arguments.chromium or shutil.which("chromium")
    worst = 0.0
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        folder = Path(scratch) / "dist"
        make_site(folder, networks, arguments.offline)
        server = build.make_server(folder, 0)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        print("## From pen to answer, in the page\n")
        versions = [f"Chromium {browser.version}", f"Pyodide {PYODIDE}"]
        versions += [f"{name} {version}" for name, (version, _) in NPM.items()]
        print("\n".join(machine.describe([*versions, "numpy"])))
        others = machine.Others()
        print(
            f"- {arguments.drawings} drawings a side; milliseconds, median and 95th percentile: "
            "from the last pointer event's timeStamp to the answer in the page; the same, less the "
            "browser's wait before it hands the event to the page; that wait, median. Difference: "
            "the largest from CPython's probabilities.\n"
        )
        print(
            "| network | side | median | 95 % | median, in the page | 95 %, in the page "
            "| before the page | difference |\n"
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
        )
        for name, network in networks.items():
            sides = [Pynet(browser, url, name)]
            sides += [Rival(browser, url, name, runtime) for runtime in RUNTIMES]
            for side, values in measure(sides, network, arguments.drawings).items():
                print(row(name, side, *values), flush=True)
                worst = max(worst, *values[2])
            for side in sides:
                side.context.close()
        print(f"\n{others.line()}")
        browser.close()
        server.shutdown()
    if not worst <= TOLERANCE:
        sys.exit(f"void: probabilities must agree within {TOLERANCE}, they differ by {worst:.1e}")


if __name__ == "__main__":
    main()
