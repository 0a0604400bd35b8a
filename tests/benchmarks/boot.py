"""Seconds from opening a page to its first answer: pynet beside PyScript, TensorFlow.js and ONNX.

The same network answers the same drawing on each side: pynet's page; the same page built without
its memory snapshot; a PyScript page as its documentation shows it, with the same Python package;
pages of TensorFlow.js and onnxruntime-web. All are static folders on one host that gzips as GitHub
Pages does (host.py), over lines of several speeds. The sides take turns within each round.

    python tests/benchmarks/boot.py [--runs N] [--sides ...] [--lines ...] [--offline]

One visit is a fresh Chromium with an empty profile: no file, no compiled code and no service worker
is there. It ends with the first answer, a ``pynet:prediction`` event: the time is the page's clock
then, which begins with the navigation. Then the page may install its service worker and leave what
the next visit starts from; the browser is closed and started again with the same profile for the
second visit. The drawing is there at once: the other sides' pages hold it, pynet's gets it as
pointer events when its document is parsed.

- Bytes are those of the host's answers with their headers, up to the first answer and up to the end
  of the first visit, whoever asked: page, worker or service worker.
- Memory is the peak of all renderer processes together in the first visit to its end (memory.py:
  private memory, looked at every 20 ms), and the kernel's own peak of the largest one's resident
  memory. Chromium keeps two idle renderers besides, the same on all sides.
- Every first answer is compared with CPython's; where one differs by more than 1e-3 or pynet did
  not start from its snapshot, the comparison is void and the command fails.

Where the PyScript page is spared something: it is built without micropip, the documentation's way
to packages, with a list of packages reduced to numpy, and without PyScript's style sheet. Where
TensorFlow.js and onnxruntime-web are: their pages have no pad and fetch all they need at once, by
preload links; they keep nothing for use without a network.

Needs Chromium, Linux and, the first time, npm. A benchmark is no test: it asserts no time.
"""

import argparse
import contextlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from benchmarks import machine
from benchmarks.boot_sites import SIDES, make_sites
from benchmarks.devtools import Chromium
from benchmarks.host import Host, Line
from benchmarks.memory import Peak
from benchmarks.page import LEAST_SIDE, NPM, TOLERANCE
from browser.digits import DIGITS

from builder.pinned import PYODIDE, PYSCRIPT
from pynet import load, strokes_to_image
from pynet.nn.certainty import Certainty

ROOT = Path(__file__).resolve().parents[2]
STROKES = DIGITS[5][1]  # two strokes
OURS = ("pynet", "ordinary")  # the sides that answer with pynet's own page
SETTLE = 2.0  # seconds from the start of the browser, which then has its own work behind it
REST = 1.0  # seconds after the last thing that a visit waits for
LINES = {
    "localhost": (),
    "100 Mbit/s, 20 ms": (100, 20),
    "10 Mbit/s, 40 ms": (10, 40),
}

# Notes the first answer, and draws on pynet's pad as soon as that takes ink.
OBSERVE = """
globalThis.firstAnswer = new Promise(resolve => document.addEventListener(
    'pynet:prediction', ({detail: {digit, probabilities}}) => resolve({
        milliseconds: performance.now(), digit, probabilities: Array.from(probabilities),
        boot: document.documentElement.dataset.boot ?? 'ordinary',
    }), {once: true}));
const draw = () => {
    const pad = document.querySelector('[data-testid=pad]');
    if (!pad) return;
    const {left, top, width, height} = pad.getBoundingClientRect();
    const send = (type, [x, y]) => pad.dispatchEvent(new PointerEvent(type, {
        clientX: left + x * width, clientY: top + y * height, pointerId: 1, bubbles: true,
        buttons: type === 'pointerup' ? 0 : 1, button: type === 'pointerrawupdate' ? -1 : 0,
    }));
    for (const stroke of STROKES) {
        send('pointerdown', stroke[0]);
        for (const point of stroke) send('pointerrawupdate', point);
        send('pointerup', stroke.at(-1));
    }
    if (document.querySelector('[data-testid=clear]').disabled) setTimeout(draw, 5); // no ink yet
};
document.addEventListener('DOMContentLoaded', draw);
"""

# The page of pynet keeps itself for offline use when it is ready: wait for the end of that.
KEPT = """
new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('no service worker took over')), 120_000);
    const look = () => navigator.serviceWorker.controller ? resolve() : setTimeout(look, 50);
    look();
})
"""


class Visits:
    """All visits to one side over one line."""

    def __init__(self):
        self.cold, self.second, self.first_bytes, self.all_bytes = [], [], [], []
        self.private, self.resident, self.boots, self.difference = [], [], set(), 0.0

    def add(self, answer, times, expected):
        """Add an answer to the list `times`, in seconds."""
        times.append(answer["milliseconds"] / 1000)
        self.boots.add(answer["boot"])
        got = np.array(answer["probabilities"])
        self.difference = max(self.difference, float(np.abs(got - expected).max()))


def visit(chromium, host):
    """Open the page and return its first answer."""
    time.sleep(SETTLE)
    chromium.before_each_page(OBSERVE.replace("STROKES", json.dumps(STROKES)))
    chromium.open(host.url)
    return chromium.evaluate("firstAnswer")


def visit_twice(executable, host, visits, expected):
    """Visit a side with an empty profile, then again with what that left there."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        with Chromium(executable, profile) as chromium:
            host.forget()
            with Peak(chromium.process.pid) as peak:
                visits.add(visit(chromium, host), visits.cold, expected)
                visits.first_bytes.append(host.sent)
                if "/sw.js" in host.files:
                    chromium.evaluate(KEPT)
                time.sleep(REST)
            visits.all_bytes.append(host.sent)
            visits.private.append(peak.private)
            visits.resident.append(peak.resident)
        with Chromium(executable, profile) as chromium:
            visits.add(visit(chromium, host), visits.second, expected)
    return chromium.version


def print_table(found):
    """Print a line of medians for each side and line."""
    print(
        "| line | side | first visit, s | second visit, s | MB to the answer | MB in all "
        "| private memory, MB | largest process, MB | difference |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for (side, line), visits in found.items():
        times = [f"{median(values):.2f}" for values in (visits.cold, visits.second)]
        sizes = [f"{median(v) / 1e6:.2f}" for v in (visits.first_bytes, visits.all_bytes)]
        memory = [f"{median(v) / 1e6:.0f}" for v in (visits.private, visits.resident)]
        cells = [line, SIDES[side], *times, *sizes, *memory, f"{visits.difference:.0e}"]
        print(f"| {' | '.join(cells)} |")


# The project's bounds: what is compared, of which visits, must, aim. A ratio is of two sides in the
# same run; a size is of pynet alone, in MB.
BOUNDS = (
    ("localhost", "cold", "stock", "cold", 0.27, 0.22),
    ("localhost", "cold", "onnxruntime-web", "cold", 1.5, 1.2),
    ("localhost", "second", "onnxruntime-web", "cold", 1.0, None),
    ("10 Mbit/s, 40 ms", "cold", "stock", "cold", 0.9, None),
    ("localhost", "private", "stock", "private", 1.2, None),
    ("localhost", "resident", "stock", "resident", 1.2, None),
    ("localhost", "first_bytes", None, None, 10.5, 9),
    ("localhost", "all_bytes", None, None, 13, None),
)
WORDS = {
    "cold": "first visit",
    "second": "second visit",
    "private": "private memory",
    "resident": "memory of the largest process",
    "first_bytes": "MB to the first answer",
    "all_bytes": "MB in all",
}


def print_bounds(found):
    """Print the project's bounds beside what was found."""
    print("\n| pynet | measure | found | at most | aim |\n| --- | --- | ---: | ---: | ---: |")
    for line, ours, side, theirs, most, aim in BOUNDS:
        if ("pynet", line) not in found or (side and (side, line) not in found):
            continue
        value = median(getattr(found["pynet", line], ours))
        unit = median(getattr(found[side, line], theirs)) if side else 1e6
        measure = f"{SIDES[side]}, {WORDS[theirs]}" if side else "1 MB"
        cells = [f"{WORDS[ours]}, {line}", measure, f"{value / unit:.2f}", most, aim or ""]
        print(f"| {' | '.join(map(str, cells))} |")


def main():
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="first and second visits of each side")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--lines", nargs="+", choices=LINES, default=list(LINES))
    parser.add_argument("--network", default="convnet")
    parser.add_argument("--offline", action="store_true", help="use only what the caches hold")
    parser.add_argument("--chromium", default=os.environ.get("PYNET_CHROMIUM"))
    arguments = parser.parse_args()
    executable = arguments.chromium or shutil.which("chromium")
    if executable is None:
        sys.exit("no Chromium: install it, or name it with --chromium or in PYNET_CHROMIUM")
    network, metadata = load(ROOT / "weights" / f"{arguments.network}.npz")
    image = strokes_to_image(STROKES, min_side=LEAST_SIDE)
    raw = network.fold().predict_proba(image[None, :, :, None])
    calibrated = Certainty.of(metadata).calibrate(raw)  # which pynet's page alone does
    expected = {side: (calibrated if side in OURS else raw)[0] for side in SIDES}
    found = {(side, line): Visits() for line in arguments.lines for side in arguments.sides}
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        make_sites(Path(scratch), arguments.sides, arguments.network, STROKES, arguments.offline)
        hosts = {
            side: stack.enter_context(Host(Path(scratch) / side).serving())
            for side in arguments.sides
        }
        others = machine.Others()
        for number in range(arguments.runs):
            turn = number % len(arguments.sides)  # no side is always the first
            for line in arguments.lines:
                for side in arguments.sides[turn:] + arguments.sides[:turn]:
                    hosts[side].line = Line(*LINES[line])
                    version = visit_twice(
                        executable, hosts[side], found[side, line], expected[side]
                    )
    print("## From opening the page to its first answer\n")
    versions = [version, f"Pyodide {PYODIDE}", f"PyScript {PYSCRIPT}"]
    versions += [f"{name} {release}" for name, (release, _) in NPM.items()]
    print("\n".join(machine.describe([*versions, "numpy"])))
    print(f"- {others.line()} Network: {arguments.network}; {arguments.runs} runs, medians.\n")
    print_table(found)
    print_bounds(found)
    void = [
        f"{SIDES[side]} on {line}: differs by {visits.difference:.1e}, boot: {visits.boots}"
        for (side, line), visits in found.items()
        if not visits.difference <= TOLERANCE
        or visits.boots != {"snapshot" if side == "pynet" else "ordinary"}
    ]
    if void:
        sys.exit("\n".join(["void:", *void]))


if __name__ == "__main__":
    main()
