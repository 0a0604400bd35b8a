"""Pyodide's core and script as the page gets them: what can be asked for, as published.

That it also works is shown by the tests in tests/browser, all of which run it.
"""

import io
import re
import zipfile

import pytest
from building import by_name
from hypothesis import given
from hypothesis import strategies as st

from builder import wasm
from builder.console import ROOT, BuildError
from builder.core import slim_core
from builder.pinned import NUMPY_WHEEL
from builder.script import IMPORTS, statements
from builder.site import page, python_sources, runtime_files

CORE, SCRIPT = "pyodide/pyodide.asm.wasm", "pyodide/pyodide.asm.mjs"


def imported_global(name):
    """Return an import of an i32 that may change, as Emscripten has it for an address."""
    return wasm.named("GOT.func") + wasm.named(name) + bytes([wasm.GLOBAL, 0x7F, 1])


BODIES = [
    (0x10, 3),  # 1, "one": calls 3
    (0x23, 0, 0x1A, 0x10, 4),  # 2, "two": reads global 0, calls 4
    (0x41, 0x10, 0x1A),  # 3: i32.const 16, which is the byte of `call`
    (0x23, 2, 0x1A),  # 4: reads global 2
    (0x02, 0x40, 0x41, 0, 0x0E, 1, 0, 0, 0x0B, 0x23, 1, 0x1A),  # 5, in the table: global 1
]
JS = wasm.named("env") + wasm.named("js") + b"\0\0"
SMALL = wasm.assembled([
    (wasm.TYPES, wasm.vector([b"\x60\0\0"])),
    (wasm.IMPORTS, wasm.vector([JS, *map(imported_global, "abc")])),
    (wasm.FUNCTIONS, wasm.vector([b"\0"] * 5)),
    (wasm.EXPORTS, wasm.vector([wasm.named("one") + b"\0\1", wasm.named("two") + b"\0\2"])),
    (wasm.ELEMENTS, wasm.vector([b"\0\x41\0\x0b" + wasm.vector([b"\5"])])),
    (wasm.CODE, wasm.vector(wasm.function(bytes(code)) for code in BODIES)),
])  # fmt: skip


def test_what_is_not_wanted_is_gone_and_nothing_moves():
    """Of a small module: dead functions trap, dead globals are those that live; numbers stay."""
    assert wasm.keep(SMALL, lambda name: True) == SMALL
    kept = wasm.keep(SMALL, lambda name: name == "one")
    assert [export.name for export in wasm.exports(kept)] == ["one"]
    assert [each.name for each in wasm.imports(kept)] == ["js", "b", "b", "b"]
    before, after = (list(wasm.functions(module)) for module in (SMALL, kept))
    assert [new.data if new != old else None for old, new in zip(before, after, strict=True)] == [
        None, wasm.TRAP, None, wasm.TRAP, None,
    ]  # fmt: skip


def test_unknown_instruction_is_an_error():
    """A module with vectors is refused: what its functions call is not known."""
    vector = SMALL.replace(bytes([0x23, 0, 0x1A]), bytes([0xFD, 0, 0x1A]))
    with pytest.raises(ValueError, match="not known: fd00"):
        wasm.keep(vector, lambda name: True)
    with pytest.raises(BuildError, match="emcc writes it in another way"):
        slim_core(SMALL, "export default 1", "", [])


@given(st.integers(0, 2**32 - 1))
def test_numbers(value):
    """LEB128 and back."""
    data = wasm.encoded(value)
    assert wasm.number(b"x" + data, 1) == (value, 1 + len(data))


@pytest.fixture(scope="module")
def cores(runtime):
    """Return (wasm, script), as published and as made for the site, before the core is split."""
    published = runtime[CORE], runtime[SCRIPT].decode()
    files = runtime_files(runtime, {**page(), **python_sources()})
    return published, (files[f"runtime/{CORE}"], files[f"runtime/{SCRIPT}"].decode())


def test_every_export_that_is_asked_for_is_there(cores, site, runtime):
    """Of libraries, of the script itself, and of pyodide.mjs: by name, wherever it stands."""
    (published, _), (core, script) = cores
    all_names, names = ({each.name for each in wasm.exports(each)} for each in (published, core))
    assert len(names) < len(all_names) / 5
    with zipfile.ZipFile(io.BytesIO(by_name(site)[f"runtime/pyodide/{NUMPY_WHEEL}"])) as wheel:
        libraries = [wheel.read(name) for name in wheel.namelist() if name.endswith(".so")]
    assert libraries
    for library in libraries:
        assert {each.name for each in wasm.imports(library)} & all_names <= names
    assert set(re.findall(r'wasmExports\["([^"]+)"\]', script)) <= names
    words = set(re.findall(r"[\w$]+", script + runtime["pyodide/pyodide.mjs"].decode()))
    assert not {f"_{name}" for name in all_names - names} & words


def test_what_is_kept_of_the_core_is_as_published(cores):
    """Memory, tables and all functions that can be reached are unchanged, byte for byte."""
    (published, _), (core, _) = cores
    changed = {wasm.IMPORTS, wasm.EXPORTS, wasm.CODE}
    for (kind, old), (other, new) in zip(
        wasm.sections(published), wasm.sections(core), strict=True
    ):
        assert kind == other
        assert old == new or kind in changed
    pairs = list(zip(wasm.functions(published), wasm.functions(core), strict=True))
    assert all(new.data in (old.data, wasm.TRAP) for old, new in pairs)
    traps = sum(new.data != old.data for old, new in pairs)
    assert 0 < traps < len(pairs) / 4


def test_what_is_kept_of_the_script_is_as_published(cores):
    """Its statements are those of emcc, in their order, but for three lists."""
    (_, published), (core, script) = cores
    assert len(script) < 0.6 * len(published)
    start, end = script.index(")") + 2, script.rindex("});export default")
    variables, *parts = (part.text for part in statements(script[start:end]))
    assert variables.startswith("var _")
    at = 0
    for part in parts:
        if not part.startswith(("function assignWasmExports(", "var wasmImports=")):
            at = published.index(part, at) + len(part)
    imports = IMPORTS.search(script)
    table = dict(entry.partition(":")[::2] for entry in imports[1].split(","))
    assert table.keys() >= {each.name for each in wasm.imports(core) if each.kind == wasm.FUNCTION}
    rest = script.replace(imports[0], "")
    for name, variable in table.items():
        assert re.search(rf"(?:function |var |,){re.escape(variable or name)}\b", rest), name
    # No package of the page draws or plays.
    assert not {"_emscripten_glClear", "_SDL_Init"} & set(re.findall(r"[\w$]+", script))


def test_what_restored_py_answers_is_what_a_start_asks(cores):
    """Each source that it knows stands in Pyodide's script; another one would only be slower."""
    (_, published), _ = cores
    text = (ROOT / "builder" / "inside" / "restored.py").read_text("utf-8")
    known = re.findall(r'^    "(.*?)": ', text, re.M)
    asked = re.findall(r'(?:eval_code|runPythonInternal)\("([^"]+)"\)', published)
    assert len(known) == 4
    assert set(known) <= set(asked)
    assert 'API.rawRun("import _pyodide_core")' in published
