"""The sites that boot.py opens: one folder for each side, as its author would put it on a host."""

import json
import shutil
from pathlib import Path
from unittest.mock import patch

from benchmarks import export
from benchmarks.page import NPM, fetch_packages

from builder import site
from builder.fetch import pinned_files
from builder.files import sha256, to_json
from builder.pinned import NUMPY_WHEEL, lock_file
from builder.site import build, python_sources
from pynet import load

RIVALS = Path(__file__).parent / "rivals"
ROOT = Path(__file__).resolve().parents[2]

SIDES = {
    "pynet": "pynet",
    "ordinary": "pynet without its snapshot",
    "stock": "PyScript page",
    "tfjs-cpu": "TensorFlow.js, cpu",
    "tfjs-wasm": "TensorFlow.js, wasm",
    "onnxruntime-web": "onnxruntime-web, wasm",
}

# What each of the other runtimes asks for, all of which its page names at once.
NEEDED = {
    "tfjs-cpu": ["tf-core.min.js", "tf-backend-cpu.min.js"],
    "tfjs-wasm": ["tf-core.min.js", "tf-backend-wasm.min.js", "tfjs-backend-wasm-simd.wasm"],
    "onnxruntime-web": [
        *("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
    ],
}

PAGE = """\
<!doctype html>
<html lang="en" data-runtime="{runtime}" data-network="{network}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The same network in another runtime</title>
<link rel="icon" href="data:,">
{preloads}
<script type="module" src="boot.js"></script>
</head>
<body>
<p id="prediction">Loading</p>
<script type="application/json" id="drawing">{drawing}</script>
</body>
</html>
"""


def make_sites(folder, sides, network, strokes, offline):
    """Make a site in `folder` for each of `sides`; each answers `strokes` with `network`."""
    packages = fetch_packages(offline)
    drawing = json.dumps(strokes)
    for side in sides:
        if side == "pynet":
            build(folder / side, None, offline)
        elif side == "ordinary":
            # As where neither Node nor a Chromium is found to make the snapshot with.
            with patch.object(site, "snapshot", return_value={}):
                build(folder / side, None, offline)
        elif side == "stock":
            make_stock(folder / side, network, drawing, offline)
        else:
            make_rival(folder / side, side, network, drawing, packages)


def make_stock(folder, network, drawing, offline):
    """Make the PyScript page: everything beside it, as for an intranet."""
    shutil.copytree(RIVALS / "stock", folder)
    pinned = pinned_files(None, offline)
    files = {name: data for name, data in pinned.items() if not name.startswith("licenses/")}
    wheel = sha256(files[f"pyodide/{NUMPY_WHEEL}"])
    files["pyodide/pyodide-lock.json"] = to_json(lock_file(wheel))
    sources = python_sources()
    config = {
        "interpreter": "./pyodide/pyodide.mjs",
        "packages": ["numpy"],
        "packages_cache": "passthrough",  # else it loads micropip as well
        "index_urls": [],  # else it asks for a table of all packages
        "files": {f"./{name}": f"./{name}" for name in (*sources, "network.npz", "drawing.json")},
    }
    files |= sources | {"pyscript.json": to_json(config), "drawing.json": drawing.encode()}
    files["network.npz"] = (ROOT / "weights" / f"{network}.npz").read_bytes()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def make_rival(folder, runtime, network, drawing, packages):
    """Make the page of TensorFlow.js or onnxruntime-web."""
    (folder / "npm").mkdir(parents=True)
    (folder / "networks").mkdir()
    for name in ("boot.js", "ink.js", "runtimes.js"):
        shutil.copy(RIVALS / name, folder)
    for version, files in NPM.values():
        for file in NEEDED[runtime]:
            if file in files:
                shutil.copy(packages / version / file, folder / "npm")
    folded = load(ROOT / "weights" / f"{network}.npz")[0].fold()
    if runtime == "onnxruntime-web":
        weights = {f"{network}.onnx": export.to_onnx(folded)}
    else:
        layers, values = export.to_layers(folded)
        weights = {f"{network}.json": layers, f"{network}.bin": values}
    for name, data in weights.items():
        (folder / "networks" / name).write_bytes(data)
    asked = [
        *(f"npm/{name}" for name in NEEDED[runtime]),
        *(f"networks/{name}" for name in weights),
    ]
    preloads = "\n".join(map(preload, ["ink.js", "runtimes.js", *asked]))
    page = PAGE.format(runtime=runtime, network=network, preloads=preloads, drawing=drawing)
    (folder / "index.html").write_text(page, encoding="utf-8")


def preload(path):
    """Return the link that has a browser fetch a file at once."""
    if path.endswith(".min.js"):  # by a classic script element
        return f'<link rel="preload" as="script" href="{path}">'
    if path.endswith((".js", ".mjs")):
        return f'<link rel="modulepreload" href="{path}">'
    return f'<link rel="preload" as="fetch" crossorigin href="{path}">'
