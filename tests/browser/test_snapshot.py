"""Python from its snapshot: used where it fits, equal to the ordinary start, and done without else."""

import gzip
import json
import struct

import pytest
from playwright.sync_api import expect

from browser.conftest import asset
from browser.digits import DIGITS, drawings
from browser.test_parity import COUNT, DRAW

ORDINARY = "starting Python without its snapshot"


@pytest.fixture
def tampered(new_site, site, watch):
    """Return a function that opens the page with files of it changed on the way, and its console."""
    watch.allow("response: 404|console: Failed to load resource|request failed")

    def open_with(changes):
        page = new_site(service_workers="block")
        page.page.on("console", lambda message: page.said.append(message.text))
        page.said = []
        for name, change in changes.items():
            page.page.route(asset(site, name), lambda route, change=change: change(route))
        return page.open(site)

    return open_with


def missing(route):
    """Answer as a server does that lacks the file."""
    route.fulfill(status=404, body="")


def changed(change):
    """Return a route that sends the snapshot with its header or its bytes changed."""

    def answer(route):
        data = bytearray(gzip.decompress(route.fetch().body()))
        length = struct.unpack_from("<I", data)[0]
        header = json.loads(data[4 : 4 + length])
        data = change(header, data)
        text = json.dumps(header, separators=(",", ":")).encode().ljust(length)
        assert len(text) == length, "the header must keep its length"
        data[4 : 4 + length] = text
        route.fulfill(body=gzip.compress(bytes(data), 1), content_type="application/gzip")

    return answer


def another_table(header, data):
    """Name one function fewer: as an engine does that lays its table out in another way."""
    header["table"] -= 1
    return data


def another_pyodide(header, data):
    """Let the build of Pyodide that is named be another: eight digits of it stand in a word."""
    kept = header["pyodide"]
    header["pyodide"] = f"{kept[:20]}{'A' if kept[20] != 'A' else 'B'}{kept[21:]}"
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
    ordinary = tampered({"runtime/snapshot.bin": missing}).expect_state("ready")
    expect(ordinary.root).to_have_attribute("data-boot", "ordinary")
    for _digit, strokes in drawings(COUNT, seed=7):
        first, second = (page.page.evaluate(DRAW, strokes) for page in (booted, ordinary))
        assert first["digit"] == second["digit"]
        assert first["probabilities"] == pytest.approx(second["probabilities"], abs=1e-6)


BREAKS = {
    "no such file": missing,
    "not gzip": lambda route: route.fulfill(body="<h1>Hello</h1>", content_type="text/html"),
    "one byte": changed(another_byte),
    "broken off": changed(broken_off),
    "another engine": changed(another_table),
    "another Pyodide": changed(another_pyodide),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_snapshot_is_done_without(tampered, name):
    """The page starts the ordinary way, says so once, and reads digits."""
    page = tampered({"runtime/snapshot.bin": BREAKS[name]}).expect_state("ready")
    expect(page.root).to_have_attribute("data-boot", "ordinary")
    page.draw(DIGITS[3][0])
    page.expect_digit(3)
    assert sum(ORDINARY in line for line in page.said) == 1


@pytest.mark.timeout(300)
def test_a_missing_library_is_done_without(tampered):
    """Where a compiled library of the snapshot is gone, the wheel still has it."""
    page = tampered({"runtime/libraries/numpy/_core/*": missing}).expect_state("ready")
    expect(page.root).to_have_attribute("data-boot", "ordinary")
    assert sum(ORDINARY in line for line in page.said) == 1


@pytest.mark.timeout(300)
def test_a_hang_is_ended(tampered):
    """Where the start from the snapshot never ends, the page ends it after a time without reports."""

    def endless(route):
        text = route.fetch().text()
        assert "let [to, from]" in text
        route.fulfill(
            body=text.replace("let [to, from]", "for (;;);\n  let [to, from]"),
            content_type="text/javascript",
        )

    def impatient(route):
        text = route.fetch().text()
        assert "SNAPSHOT_LIMIT = 20_000" in text
        route.fulfill(
            body=text.replace("SNAPSHOT_LIMIT = 20_000", "SNAPSHOT_LIMIT = 2_000"),
            content_type="text/javascript",
        )

    page = tampered({"app/memory.js": endless, "app/worker-client.js": impatient})
    page.expect_state("ready")
    expect(page.root).to_have_attribute("data-boot", "ordinary")
    assert sum("no progress for 2 seconds" in line for line in page.said) == 1


LATER = """
import csv, numpy.fft, numpy.linalg, numpy.random
from numpy.random import default_rng
deviates = default_rng(7).normal(size=3)
print("later:", *deviates.tolist(), numpy.fft.fft([1, 2]).real.tolist(), csv.__name__)
"""


@pytest.mark.timeout(300)
def test_what_the_snapshot_lacks_is_found_when_it_is_imported(tampered):
    """Modules of numpy and of the standard library come when Python imports them, and work."""

    def more(route):
        route.fulfill(body=route.fetch().text() + LATER, content_type="text/x-python")

    page = tampered({"worker.py": more}).expect_state("ready")
    expect(page.root).to_have_attribute("data-boot", "snapshot")
    from numpy.random import default_rng

    expected = " ".join(map(str, default_rng(7).normal(size=3).tolist()))
    assert any(f"later: {expected} [3.0, -1.0] csv" in line for line in page.said), page.said
