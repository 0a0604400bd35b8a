"""Modules in two halves: they work as the whole does, and the second half comes in time."""

import base64
import itertools
import zlib

import pytest
from playwright.sync_api import expect

from browser.conftest import BOOT, asset
from browser.digits import DIGITS
from browser.test_snapshot import missing, replaced, said
from builder import wasm
from builder.split import split

I32, F64 = 0x7F, 0x7C


# 1 "even" and 2 "odd" of an i32, which call each other, by number and through a table, and count
# their calls in a global; 3 "half" of an f64 and an i32. The first one asks JavaScript.
BODIES = [
    # calls += 1; n ? odd(n - 1) : ask(global 0)
    (0x23, 1, 0x41, 1, 0x6A, 0x24, 1, 0x20, 0, 0x04, I32, 0x20, 0, 0x41, 1, 0x6B, 0x10, 2,
     0x05, 0x23, 0, 0x10, 0, 0x0B),
    # calls += 1; n ? table[1](n - 1) : 0
    (0x23, 1, 0x41, 1, 0x6A, 0x24, 1, 0x20, 0, 0x04, I32, 0x20, 0, 0x41, 1, 0x6B, 0x41, 1,
     0x11, 0, 0, 0x05, 0x41, 0, 0x0B),
    # even(n) ? x : x / 2
    (0x20, 0, 0x20, 0, 0x44, 0, 0, 0, 0, 0, 0, 0, 0x40, 0xA3, 0x20, 1, 0x10, 1, 0x1B),
]  # fmt: skip
EXPORTS = {"even": (0, 1), "odd": (0, 2), "half": (0, 3), "table": (1, 0), "calls": (3, 1)}
SMALL = wasm.assembled([
    (wasm.TYPES, wasm.vector([bytes([0x60, 1, I32, 1, I32]), bytes([0x60, 2, F64, I32, 1, F64])])),
    (wasm.IMPORTS, wasm.vector([wasm.named("env") + wasm.named("ask") + b"\0\0"])),
    (wasm.FUNCTIONS, wasm.vector([b"\0", b"\0", b"\1"])),
    (wasm.TABLES, wasm.vector([b"\x70\0\4"])),
    (wasm.GLOBALS, wasm.vector([b"\x7f\1\x41\7\x0b", b"\x7f\1\x41\0\x0b"])),
    (wasm.EXPORTS, wasm.vector(wasm.named(name) + bytes(rest) for name, rest in EXPORTS.items())),
    (wasm.ELEMENTS, wasm.vector([b"\0\x41\1\x0b" + wasm.vector([b"\1", b"\2", b"\3"])])),
    (wasm.CODE, wasm.vector(wasm.function(bytes(code)) for code in BODIES)),
])  # fmt: skip

# Joins the halves as web/app/halves.js does; calls the functions of the whole and of the halves.
COMPARE = """
([whole, first, second, put]) => {
    const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
    const module = text => new WebAssembly.Module(bytes(text));
    const imports = {env: {ask: value => 100 * value}};
    const results = ({even, odd, half, table, calls}) => [
        even(4), even(3), odd(4), odd(5), half(3, 1), half(3, 2), table.get(1)(6), table.get(2)(6),
        table.get(3)(5, 7), even === table.get(1), half === table.get(3), calls.value,
    ];
    const expected = results(new WebAssembly.Instance(module(whole), imports).exports);
    const {exports} = new WebAssembly.Instance(module(first), imports);
    let brought = 0;
    const f = () => {
        brought++;
        new WebAssembly.Instance(module(second), {...imports, 'pynet now': exports});
    };
    new WebAssembly.Instance(module(put), {'': {f, t: exports['pynet later']}});
    return {expected, found: results(exports), brought};
}
"""
PUT = wasm.assembled([
    (wasm.TYPES, wasm.vector([b"\x60\0\0"])),
    (wasm.IMPORTS, wasm.vector([b"\0\1f\0\0", b"\0\1t\1\x70\0\1"])),
    (wasm.ELEMENTS, wasm.vector([b"\0\x41\0\x0b" + wasm.vector([b"\0"])])),
])  # fmt: skip


@pytest.mark.parametrize(
    "here", [set(c) for n in range(4) for c in itertools.combinations((1, 2, 3), n)]
)
def test_two_halves_work_as_the_whole(booted, here):
    """Wherever the cut is: numbers, globals, tables and calls between the halves, both ways."""
    modules = [SMALL, *split(SMALL, here), PUT]
    texts = [base64.b64encode(module).decode() for module in modules]
    got = booted.page.evaluate(COMPARE, texts)
    assert got["found"] == got["expected"]
    assert got["found"][:4] == [700, 0, 0, 700]
    assert got["brought"] == (len(here) < 3)


def test_a_start_asks_for_no_second_half(new_page, site):
    """They come after the first answer is possible, without anybody waiting, and all of them."""
    page = new_page()
    wanted, ready = asset(site, "runtime/later/*"), []
    seen = []
    page.context.on("request", lambda request: wanted(request.url) and seen.append(bool(ready)))
    page.add_init_script("""
        new MutationObserver(() => document.documentElement?.dataset.state === 'ready'
            && console.info('now ready')).observe(document, {attributes: true, subtree: true})
    """)
    page.on("console", lambda message: message.text == "now ready" and ready.append(True))
    page.goto(site)
    expect(page.locator("html")).to_have_attribute("data-boot", "snapshot", timeout=BOOT)
    for _ in range(100):
        if len(seen) >= 3:
            break
        page.wait_for_timeout(100)
    assert seen == [True] * 3


COMPILES = b"\nimport zlib\nprint('compiled:', eval('6 * 7'), zlib.crc32(b'pynet'))\n"


@pytest.mark.timeout(300)
def test_a_call_of_what_has_not_come_waits_for_it(tampered):
    """Where the second halves are not fetched ahead, the first call of one brings it."""
    never = replaced(b"    await complete();\n  } catch", b"    await null;\n  } catch")
    page = tampered({"app/python.js": never, "worker.py": lambda data: data + COMPILES})
    expect(page.root).to_have_attribute("data-boot", "snapshot")
    (line,) = said(page, "compiled:")
    assert f"compiled: 42 {zlib.crc32(b'pynet')}" in line
    page.draw(DIGITS[3][0])
    page.expect_digit(3)


@pytest.mark.timeout(300)
def test_python_goes_on_without_the_second_half(tampered):
    """Where a second half is gone, digits are read, and the console says once what is missing."""
    page = tampered({"runtime/later/_multiarray*": missing})
    expect(page.root).to_have_attribute("data-boot", "snapshot")
    said(page, "Python goes on without PyScript")
    page.draw(DIGITS[3][0])
    page.expect_digit(3)
