"""Python from its snapshot: used where it fits, equal to the ordinary start, else done without."""

import gzip
import json
import struct
import time

import pytest
from numpy.random import default_rng
from playwright.sync_api import expect

from browser.digits import DIGITS, drawings
from browser.test_parity import COUNT, DRAW

ORDINARY = "starting Python without its snapshot"


def missing(data):
    """Take a file away."""


def changed(change):
    """Return a change of the stored snapshot by one of its header and of its bytes."""

    def answer(stored):
        data = bytearray(gzip.decompress(stored))
        length = struct.unpack_from("<I", data)[0]
        header = json.loads(data[4 : 4 + length])
        data = change(header, data)
        text = json.dumps(header, separators=(",", ":")).encode().ljust(length)
        assert len(text) == length, "the header must keep its length"
        data[4 : 4 + length] = text
        return gzip.compress(bytes(data), 1)

    return answer


def replaced(old, new):
    """Return a change of a text by another part."""

    def answer(data):
        assert old in data
        return data.replace(old, new)

    return answer


def another_table(header, data):
    """Name one function fewer: as an engine does that lays its table out in another way."""
    header["table"] -= 1
    return data


def another_pyodide(header, data):
    """Let the build of Pyodide be another: its hash stands in bytes 16 to 47 of its header."""
    kept = header["pyodide"]
    header["pyodide"] = f"{kept[:24]}{'A' if kept[24] != 'A' else 'B'}{kept[25:]}"
    return data


def another_byte(header, data):
    """Let one byte of memory be another."""
    data[-5] ^= 1
    return data


def broken_off(header, data):
    """Let the end be missing."""
    return data[:-4096]


def test_python_starts_from_the_snapshot(booted, site):
    """The page says that it used the snapshot; and nothing of the standard library was fetched."""
    expect(booted.root).to_have_attribute("data-boot", "snapshot")


@pytest.mark.timeout(400)
def test_both_starts_give_the_same_answers(booted, tampered):
    """200 drawings: the same digit, and probabilities within 1e-6."""
    ordinary = tampered({"runtime/snapshot.bin": missing})
    expect(ordinary.root).to_have_attribute("data-boot", "ordinary")
    for _digit, strokes in drawings(COUNT, seed=7):
        first, second = (page.page.evaluate(DRAW, strokes) for page in (booted, ordinary))
        assert first["digit"] == second["digit"]
        assert first["probabilities"] == pytest.approx(second["probabilities"], abs=1e-6)


BREAKS = {
    "no such file": missing,
    "not gzip": lambda data: b"<h1>Hello</h1>",
    "one byte": changed(another_byte),
    "broken off": changed(broken_off),
    "another engine": changed(another_table),
    "another Pyodide": changed(another_pyodide),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_snapshot_is_done_without(tampered, name):
    """The page starts the ordinary way, says so once, and reads digits."""
    page = tampered({"runtime/snapshot.bin": BREAKS[name]})
    expect(page.root).to_have_attribute("data-boot", "ordinary")
    page.draw(DIGITS[3][0])
    page.expect_digit(3)
    assert sum(ORDINARY in line for line in page.said) == 1


@pytest.mark.timeout(300)
def test_a_missing_library_is_done_without(tampered):
    """Where a compiled library of the snapshot is gone, the wheel still has it."""
    page = tampered({LIBRARY: missing})
    expect(page.root).to_have_attribute("data-boot", "ordinary")
    assert sum(ORDINARY in line for line in page.said) == 1


LIBRARY = "runtime/libraries/*/numpy/_core/_multiarray_umath*.so"


@pytest.mark.timeout(300)
def test_a_hang_is_ended(tampered):
    """Where the start from the snapshot never ends, the page ends it after a time of silence."""
    begin = b"export function patch("
    endless = replaced(begin, b"export function patch() { for (;;); }\nfunction other(")
    impatient = replaced(b"SNAPSHOT_LIMIT = 20_000", b"SNAPSHOT_LIMIT = 3_000")
    page = tampered({"app/memory.js": endless, "app/worker-client.js": impatient})
    expect(page.root).to_have_attribute("data-boot", "ordinary")
    assert sum("no progress for 3 seconds" in line for line in page.said) == 1


def said(page, word, times=1):
    """Return what the console says with a word: worker.py runs when PyScript is here."""
    end = time.monotonic() + 60
    while len(found := [line for line in page.said if word in line]) < times:
        assert time.monotonic() < end, page.said
        page.page.evaluate("() => new Promise(requestAnimationFrame)")  # lets messages come in
    return found


LATER = b"""
import csv, numpy.fft, numpy.linalg, numpy.random
deviates = numpy.random.default_rng(7).normal(size=3)
print("later:", *deviates.tolist(), numpy.fft.fft([1, 2]).real.tolist(), csv.__name__)
"""


@pytest.mark.timeout(300)
def test_what_the_snapshot_lacks_is_found_when_it_is_imported(tampered):
    """Modules of numpy and of the standard library come when Python imports them, and work."""
    page = tampered({"worker.py": lambda data: data + LATER})
    expect(page.root).to_have_attribute("data-boot", "snapshot")
    expected = " ".join(map(str, default_rng(7).normal(size=3).tolist()))
    (line,) = said(page, "later:")
    assert f"later: {expected} [3.0, -1.0] csv" in line


def test_random_numbers_differ_between_visits(tampered):
    """The state of Python's `random` is in the snapshot, and seeded anew at each visit."""
    draw = b"\nimport random\nprint('drawn:', random.random())\n"
    page = tampered({"worker.py": lambda data: data + draw})
    said(page, "drawn:")
    page.page.reload()
    page.expect_state("ready", timeout=200_000)
    first, second = said(page, "drawn:", 2)
    assert first != second
