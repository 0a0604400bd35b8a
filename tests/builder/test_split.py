"""WebAssembly modules in two halves: each function is in one of them, as it was.

That halves work as the whole does is shown in tests/browser/test_halves.py.
"""

import gzip

import pytest
from building import by_name
from hypothesis import given
from hypothesis import strategies as st

from builder import wasm
from builder.site import page, python_sources, runtime_files
from builder.slim import read_zip
from builder.split import CALL_INDIRECT, KEPT, LATER, OWN, signed, split

CORE = "runtime/pyodide/pyodide.asm.wasm"


@given(st.integers(0, 2**31 - 1))
def test_signed_numbers(value):
    """Signed LEB128: the sign is bit 6 of the last byte, and clear."""
    data = signed(value)
    assert sum((byte & 0x7F) << 7 * k for k, byte in enumerate(data)) == value
    assert not data[-1] & 0xC0
    assert all(byte & 0x80 for byte in data[:-1])


@pytest.fixture(scope="module")
def modules(site, runtime):
    """Return (whole, first half, second half) of each module that the page splits, by name."""
    files = by_name(site)
    whole = runtime_files(runtime, {**page(), **python_sources()})
    (wheel,) = (name for name in whole if name.endswith(".whl"))
    whole |= {f"site-packages/{path}": data for path, data in read_zip(whole[wheel]).items()}
    found = {}
    for name, second in files.items():
        if name.startswith("runtime/later/"):
            (first,) = (n for n in files if n.rpartition("/")[2] == name[14:] and n != name)
            path = first if first == CORE else first[first.index("site-packages/") :]
            found[name] = whole[path], files[first], second
    return found


def test_core_and_both_libraries_are_split(modules):
    """A start needs far less than half of them, as gzip too."""
    assert sorted(name[14:].partition(".")[0] for name in modules) == [
        "_multiarray_umath", "_umath_linalg", "pyodide",
    ]  # fmt: skip
    for whole, first, _ in modules.values():
        code = [sum(len(body.data) for body in wasm.functions(each)) for each in (whole, first)]
        assert code[1] < code[0] / 3
        assert len(gzip.compress(first, 1)) < len(gzip.compress(whole, 1))


def test_each_function_is_in_one_half_as_it_was(modules):
    """And a short one, or a trap, in the other; numbers, types and all else stay."""
    for whole, first, second in modules.values():
        bodies = [[body.data for body in wasm.functions(each)] for each in (whole, first, second)]
        assert len(bodies[1]) == len(bodies[0]) + 1  # what asks for the second half
        for old, one, two in zip(bodies[0], bodies[1][:-1], bodies[2], strict=True):
            assert (old == one) + (old == two) == (2 if old == wasm.TRAP else 1)
            other = two if old == one else one
            assert other == wasm.TRAP or (other[1] == 0 and CALL_INDIRECT in other[-9:])
        kept = {kind: data for kind, data in wasm.sections(whole) if kind not in CHANGED}
        assert kept == {k: data for k, data in wasm.sections(first) if k not in CHANGED}


CHANGED = {wasm.TYPES, wasm.FUNCTIONS, wasm.TABLES, wasm.EXPORTS, wasm.ELEMENTS, wasm.CODE}


def test_a_half_exports_what_the_whole_does(modules):
    """First what it did, in its order; then what the second half imports, by names of its own."""
    for whole, first, second in modules.values():
        names, more = ([each.name for each in wasm.exports(each)] for each in (whole, first))
        assert more[: len(names)] == names
        own = more[len(names) :]
        assert all(name.startswith(OWN) for name in own)
        asked = [each.name for each in wasm.imports(second)]
        assert asked[: -len(own)] == [each.name for each in wasm.imports(whole)]
        assert sorted(asked[-len(own) :]) == sorted(own)
        assert {LATER, KEPT} <= set(own)


def test_what_is_not_known_is_refused():
    """A type that is no function's."""
    struct = b"\0asm\1\0\0\0" + b"\1\5\1\x5f\1\x7f\0"
    with pytest.raises(ValueError, match="a type that is not one of functions: 0x5f"):
        split(struct, set())
