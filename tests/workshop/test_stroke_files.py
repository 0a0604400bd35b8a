"""Reading recorded strokes: whole files, damaged ones and hostile ones."""

import gzip
import json

import numpy as np
import pytest

from pynet.workshop import strokes
from pynet.workshop.readers import DataError
from pynet.workshop.strokes import load_strokes

ONE = {"label": 7, "writer": 3, "strokes": [[[0.2, 0.1], [0.8, 0.1], [0.4, 0.9]], [[0.5, 0.5]]]}


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_round_trip(tmp_path, pack):
    """Drawings come back with their points as arrays; the writer may be missing."""
    path = tmp_path / "x"
    path.write_bytes(pack(json.dumps([ONE, {k: ONE[k] for k in ("label", "strokes")}]).encode()))
    first, second = load_strokes(path)
    assert (first["label"], first["writer"], second["writer"]) == (7, 3, None)
    np.testing.assert_array_equal(first["strokes"][0], ONE["strokes"][0])
    assert first["strokes"][1].shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe\xfa", "not JSON"),
        (b"{}", "expected a list of drawings"),
        (b"[]", "expected a list of drawings"),
        (b"[3]", "drawing 0 is not an object"),
        (json.dumps([ONE, ONE | {"label": 10}]), "drawing 1: expected a label 0..9, got 10"),
        (json.dumps([ONE | {"label": True}]), "expected a label 0..9, got True"),
        (json.dumps([ONE | {"strokes": []}]), "has no strokes"),
        (json.dumps([ONE | {"strokes": [[]]}]), r"finite \[x, y\] points"),
        (json.dumps([ONE | {"strokes": [[[1, 2], [3]]]}]), r"finite \[x, y\] points"),
        (json.dumps([ONE | {"strokes": [[[1, "a"]]]}]), r"finite \[x, y\] points"),
        (json.dumps([ONE | {"strokes": [[[1, float("nan")]]]}]), r"finite \[x, y\] points"),
        (json.dumps([ONE | {"strokes": [[[1, 10**400]]]}]), r"finite \[x, y\] points"),
        (gzip.compress(b"[" + b" " * 500)[:-9], "damaged or truncated"),
    ],
)
def test_hostile_files(tmp_path, text, message):
    """What is wrong is one line that names the file and the drawing."""
    path = tmp_path / "x.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=message) as caught:
        load_strokes(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bomb(tmp_path, monkeypatch):
    """What gzip hides is read only up to the limit."""
    monkeypatch.setattr(strokes, "MAX_BYTES", 1000)
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(b" " * 10**6))
    with pytest.raises(DataError, match="larger than 1000 bytes"):
        load_strokes(path)


def test_missing(tmp_path):
    """A file that is not there is one line."""
    with pytest.raises(DataError, match="cannot be read"):
        load_strokes(tmp_path / "x")
