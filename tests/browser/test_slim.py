"""Python with what the build left of it, in the page's own engine, without the page around it."""

import gzip
import io
import json
import zipfile

import pytest

from browser.conftest import serving
from builder.addresses import logical
from builder.files import cache_folder, sha256, to_json
from builder.pinned import NUMPY_WHEEL, PINNED, lock_file
from builder.slim import module_of
from builder.store import Store

RUN = """async (text) => {
    const { loadPyodide } = await import(new URL("pyodide.mjs", location.href));
    const python = await loadPyodide({ packages: ["numpy"], stderr: () => {}, stdout: () => {} });
    return python.runPython(text);
}"""

PARTS = """
import json
import numpy as np
from numpy.random import default_rng
x = default_rng(1).normal(size=(16, 16))
u, s, vt = np.linalg.svd(x)
json.dumps([
    bool(np.allclose(u * s @ vt, x)),
    bool(np.allclose(np.fft.ifft(np.fft.fft(x)), x)),
    bool(np.random.RandomState(0).rand() == 0.5488135039273248),
    np.polynomial.polynomial.polyval(2, [1, 2]).item(),
    str(np.ma.masked_array([1, 2], [0, 1])),
    np.char.upper("a").item(),
])
"""

# Modules that cannot be imported: name -> what the error says.
IMPORTS = """
import importlib, json
failed = {{}}
for name in {names}:
    try:
        importlib.import_module(name)
    except BaseException as error:
        failed[name] = type(error).__name__ + ": " + str(error)
json.dumps(failed)
"""


def lay_out(folder, stdlib, wheel):
    """Write Pyodide with a standard library and a wheel of numpy into `folder`."""
    folder.mkdir()
    store = Store(cache_folder() / "runtime")
    for file in PINNED:
        if file.path.startswith("pyodide/"):
            (folder / file.name).write_bytes(store.found[file])
    (folder / "python_stdlib.zip").write_bytes(stdlib)
    (folder / NUMPY_WHEEL).write_bytes(wheel)
    lock = lock_file(sha256(wheel))
    (folder / "pyodide-lock.json").write_bytes(to_json(lock))
    icon = "<link rel=icon href=data:,>"
    (folder / "index.html").write_text(f"<!doctype html><title>Pyodide</title>{icon}")


@pytest.fixture(scope="module")
def evaluate(browser, dist, tmp_path_factory):
    """Return a function that runs Python in `cut` or `whole` Pyodide, and gives what it returns."""
    folder = tmp_path_factory.mktemp("pyodide")
    store = Store(cache_folder() / "runtime")
    whole = {file.name: data for file, data in store.found.items()}
    names = ("python_stdlib.zip", NUMPY_WHEEL)
    paths = {logical(p.relative_to(dist).as_posix()): p for p in dist.glob("runtime/pyodide/*.gz")}
    cut = [gzip.decompress(paths[f"runtime/pyodide/{name}"].read_bytes()) for name in names]
    lay_out(folder / "cut", *cut)
    lay_out(folder / "whole", *(whole[name] for name in names))
    context = browser.new_context()
    with serving(folder) as url:

        def run(side, text):
            page = context.new_page()
            page.goto(f"{url}{side}/")
            try:
                return page.evaluate(RUN, text)
            finally:
                page.close()

        run.archives = cut
        yield run
        context.close()


def test_parts_that_nothing_uses_yet_work(evaluate):
    """numpy.random, linalg, fft and others give in the cut Python what they give in the whole."""
    cut = json.loads(evaluate("cut", PARTS))
    assert cut == [True, True, True, 5, "[1 --]", "A"]
    assert cut == json.loads(evaluate("whole", PARTS))


def test_each_module_that_is_left_finds_what_it_needs(evaluate):
    """Whatever can be imported in the whole Python can be in the cut one, of all that is left."""
    names = set()
    for archive in evaluate.archives:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names |= {name for path in opened.namelist() if (name := module_of(path))}
    assert len(names) > 300
    text = IMPORTS.format(names=sorted(names))
    cut, whole = (json.loads(evaluate(side, text)) for side in ("cut", "whole"))
    assert cut == whole
    assert len(cut) < 0.15 * len(names), cut
