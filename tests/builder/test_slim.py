"""What is left of Python's standard library and numpy: all that can be reached, and nothing else.

That it also works is shown in tests/browser/test_slim.py, where all of it is imported.
"""

import ast
import io
import zipfile

import pytest
from building import by_module, by_name

from builder.pinned import NUMPY_WHEEL
from builder.slim import for_developers, imported, slim, write_zip

ARCHIVES = ["pyodide/python_stdlib.zip", f"pyodide/{NUMPY_WHEEL}"]


@pytest.fixture(scope="module")
def kept(site):
    """Return the modules that the site has, by name: (path, text)."""
    stdlib, numpy = (by_name(site)[f"runtime/{name}"] for name in ARCHIVES)
    return {**by_module(stdlib), **by_module(numpy)}


@pytest.fixture(scope="module")
def whole(runtime):
    """Return the modules that were published, by name: (path, text)."""
    return {**by_module(runtime[ARCHIVES[0]]), **by_module(runtime[ARCHIVES[1]])}


def named_by(module, path, tree):
    """Return the full names that the import statements of a syntax tree name."""
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*(parents if node.level else []), *([node.module] if node.module else [])]
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in node.names)


def test_everything_that_is_named_is_there(kept, whole):
    """What an import statement of a kept module names is kept; Python's own parser reads them."""
    parsed = 0
    for module, (path, text) in kept.items():
        try:
            tree = ast.parse(text)
        except SyntaxError:  # newer than the Python of this test
            continue
        parsed += 1
        for name in named_by(module, path, tree):
            if name in whole and not for_developers(name):
                assert name in kept, f"{module} imports {name}"
    assert parsed > 0.9 * len(kept)


def test_what_is_kept_is_as_published(kept, whole, site, runtime):
    """Nothing is changed, in modules or libraries."""
    assert all(whole[name] == row for name, row in kept.items())
    for name in ARCHIVES:
        with (
            zipfile.ZipFile(io.BytesIO(runtime[name])) as before,
            zipfile.ZipFile(io.BytesIO(by_name(site)[f"runtime/{name}"])) as after,
        ):
            assert set(after.namelist()) < set(before.namelist())
            for path in after.namelist():
                assert after.read(path) == before.read(path)


def test_what_cannot_be_reached_is_gone(site):
    """No headers, stubs, static libraries, tests or tools for developers."""
    files = by_name(site)
    for name in ARCHIVES:
        with zipfile.ZipFile(io.BytesIO(files[f"runtime/{name}"])) as archive:
            for path in archive.namelist():
                assert path.endswith((".py", ".so", "/METADATA", "/WHEEL", "/RECORD")), path
                assert not {"tests", "testing", "f2py", "unittest"} & set(path.split("/")), path
                assert not path.endswith("_tests.cpython-314-wasm32-emscripten.so"), path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"import os, sys as system  # not re", {"os", "sys"}),
        (b"    from . import a, b as c", {"here.p", "here.p.a", "here.p.b"}),
        (b"from .q import (\n  r,  # s\n  t,\n)", {"here.p.q", "here.p.q.r", "here.p.q.t"}),
        (b"from x.y import \\\n    z", {"x.y", "x.y.z"}),
        (b"from ..q import r", {"here.q", "here.q.r"}),
        (b"x = 'import os'", set()),
    ],
)
def test_imports_are_found_in_text(text, names):
    """Statements of each form are found, with relative names made full."""
    assert imported("here.p.m", "here/p/m.py", text) == names


def test_cut_by_the_rule():
    """Of two small archives what the page names is left, with codecs and libraries by name."""
    stdlib = {
        "a.py": b"def f():\n    import b\n    return ''.encode('cp437')",
        **{"b.py": b"", "c.py": b"", "unittest/__init__.py": b"", "d.py": b"import unittest"},
        **{
            "_p.py": b"import e",
            "e/__init__.py": b"",
            "e/_f.py": b"",
            "g/__init__.py": b"",
            "g/_h.py": b"",
        },
        **{"encodings/__init__.py": b"", "encodings/cp437.py": b"", "encodings/cp500.py": b""},
    }
    numpy = {
        "numpy/__init__.py": b"from . import fast",
        "numpy/fast.cpython-314.so": b"\0asm numpy.slow\0",
        **{"numpy/slow.py": b"", "numpy/other.so": b"", "numpy/fast.pyi": b"", "numpy/x.h": b""},
        **{"numpy-2.dist-info/METADATA": b"", "numpy-2.dist-info/licenses/LICENSE": b""},
    }
    page = {"worker.py": b"import a, d, numpy"}
    left = slim(write_zip(stdlib), write_zip(numpy), b"\0_p\0c\0e._f\0g._h\0", page)
    names = [zipfile.ZipFile(io.BytesIO(archive)).namelist() for archive in left]
    assert names[0] == [
        *("_p.py", "a.py", "b.py", "d.py", "e/__init__.py", "e/_f.py"),
        *("encodings/__init__.py", "encodings/cp437.py"),
    ]
    assert names[1] == [
        *("numpy-2.dist-info/METADATA", "numpy/__init__.py"),
        *("numpy/fast.cpython-314.so", "numpy/slow.py"),
    ]
