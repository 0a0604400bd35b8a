"""Read files of handwritten digits that were recorded as pen strokes."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import numpy as np

from pynet.workshop.readers import DataError

# The UNIPEN digits have 25 MB of JSON; what is read is bounded because gzip can hide far more.
MAX_BYTES = 256 * 2**20


def load_strokes(path) -> list[dict]:
    """Read labelled drawings from JSON, plain or gzip.

    The file holds a list of ``{"label": 0-9, "writer": int, "strokes": [[[x, y], ...], ...]}``;
    "writer" may be missing.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of dict
        "label" (int), "writer" (int or None) and "strokes", a list of (n, 2) float64 ndarrays in
        the file's own unit, y down.

    Raises
    ------
    DataError
        If the file cannot be read or does not hold such drawings.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = gzip.GzipFile(fileobj=file) if packed else file
            text = stream.read(MAX_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged or truncated gzip ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(text) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES} bytes")
    try:
        drawings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    if not isinstance(drawings, list) or not drawings:
        raise DataError(f"{path}: expected a list of drawings")
    return [_check(path, number, drawing) for number, drawing in enumerate(drawings)]


def _check(path, number, drawing):
    """Return one drawing with its strokes as arrays, or raise DataError."""
    if not isinstance(drawing, dict):
        raise DataError(f"{path}: drawing {number} is not an object")
    label, writer, strokes = (drawing.get(key) for key in ("label", "writer", "strokes"))
    if type(label) is not int or not 0 <= label <= 9:
        raise DataError(f"{path}: drawing {number}: expected a label 0..9, got {str(label)[:20]}")
    if not isinstance(strokes, list) or not strokes:
        raise DataError(f"{path}: drawing {number} has no strokes")
    arrays = []
    for stroke in strokes:
        try:
            points = np.array(stroke, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            points = np.empty(0)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise DataError(f"{path}: drawing {number}: expected strokes of finite [x, y] points")
        arrays.append(points)
    return {"label": label, "writer": writer if type(writer) is int else None, "strokes": arrays}
