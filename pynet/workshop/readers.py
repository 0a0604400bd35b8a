"""Read the file formats in which MNIST is passed around: IDX, Keras's .npz and Kaggle's CSV.

A file is known by its content, not by its name. Nothing here trusts a file: every read is
bounded by what MNIST could need, and whatever is wrong becomes a one-line DataError.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SIDE = 28
BOM = b"\xef\xbb\xbf"  # some spreadsheets put it before the first byte of a CSV
# Room for three times MNIST; the largest real file, 60,000 images as CSV, has 110 MB.
MAX_BYTES = 256 * 2**20
MAX_IMAGES = 200_000


class DataError(ValueError):
    """A data file or folder cannot be used; the message names it in one line."""


@dataclass
class Content:
    """What one file was found to hold: arrays by part.

    `parts` maps "images", "labels" (of an unknown split: IDX, CSV) or "train_images",
    "train_labels", "test_images", "test_labels" (Keras) to arrays: images (N, 28, 28) uint8,
    labels (N,) uint8.
    """

    path: Path
    kind: str  # "idx-images", "idx-labels", "keras", "csv-labelled" or "csv-unlabelled"
    parts: dict[str, np.ndarray] = field(default_factory=dict)


def read(path) -> Content | None:
    """Read one file if it is in a known format.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Content or None
        None if the file is none of the known formats.

    Raises
    ------
    DataError
        If the format is known but the file is truncated, too large, or holds wrong values.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(64)
            file.seek(0)
            if head[:2] == b"\x1f\x8b":
                with gzip.GzipFile(fileobj=file) as unpacked:
                    head = unpacked.read(64)
                    unpacked.seek(0)
                    return _read_stream(path, head, unpacked)
            if head[:4] == b"PK\x03\x04":
                return _read_keras(path, file)
            return _read_stream(path, head, file)
    except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise DataError(f"{path}: damaged or truncated archive ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read_stream(path, head, stream):
    """Tell IDX from CSV by the first bytes and read it."""
    if head[:3] == b"\x00\x00\x08" and head[3:4] in (b"\x01", b"\x03"):
        return _read_idx(path, head, stream)
    starts = (b"label,pixel0,", b"label,1x1,", b"pixel0,pixel1,", b"1x1,1x2,")
    if head.removeprefix(BOM).startswith(starts):
        return _read_csv(path, stream)
    return None


def _read_idx(path, head, stream):
    """Read LeCun's format: magic number, sizes as big-endian 32-bit integers, then bytes."""
    dimensions = head[3]
    if len(head) < 4 + 4 * dimensions:
        raise DataError(f"{path}: truncated in the IDX header after {len(head)} bytes")
    shape = struct.unpack(f">{dimensions}I", head[4 : 4 + 4 * dimensions])
    if dimensions == 3 and shape[1:] != (SIDE, SIDE):
        raise DataError(f"{path}: expected images of 28x28 pixels, got {shape[1]}x{shape[2]}")
    if not 0 < shape[0] <= MAX_IMAGES:
        raise DataError(f"{path}: expected 1 to {MAX_IMAGES} items, the header says {shape[0]}")
    count = int(np.prod(shape))
    stream.seek(4 + 4 * dimensions)
    data = _read_bytes(stream, count + 1)
    if len(data) != count:
        length = "more" if len(data) > count else str(len(data))
        raise DataError(f"{path}: the header promises {count} bytes of data, got {length}")
    values = np.frombuffer(data, np.uint8).reshape(shape)
    if dimensions == 3:
        return Content(path, "idx-images", {"images": values})
    return Content(path, "idx-labels", {"labels": check_labels(path, values)})


def _read_keras(path, file):
    """Read Keras's mnist.npz: x_train, y_train, x_test and y_test."""
    wanted = {
        "x_train.npy": "train_images", "y_train.npy": "train_labels",
        "x_test.npy": "test_images", "y_test.npy": "test_labels",
    }  # fmt: skip
    with zipfile.ZipFile(file) as archive:
        if not set(wanted) <= set(archive.namelist()):
            return None
        parts = {}
        for name, part in wanted.items():
            # The size in the directory may lie, so the read itself is bounded too.
            with archive.open(name) as member:
                data = _read_bytes(member, MAX_IMAGES * SIDE * SIDE + 1024)
            try:
                values = np.load(io.BytesIO(data), allow_pickle=False)
            except (ValueError, EOFError, MemoryError) as error:
                raise DataError(f"{path}: {name} is not a plain array ({error})") from error
            if not isinstance(values, np.ndarray):
                raise DataError(f"{path}: {name} is not a plain array")
            check = check_images if "images" in part else check_labels
            parts[part] = check(path, values)
    return Content(path, "keras", parts)


def _read_csv(path, stream):
    """Read Kaggle's CSV: a header, then one image a line, with or without its label first."""
    text = _read_bytes(stream, MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES} bytes")
    header, _, body = text.partition(b"\n")
    labelled = header.removeprefix(BOM).startswith(b"label")
    columns = SIDE * SIDE + labelled
    if header.count(b",") + 1 != columns or not body.strip():
        raise DataError(f"{path}: expected {columns} columns and at least one row")
    try:
        values = np.loadtxt(io.BytesIO(body), delimiter=",", dtype=np.int16, ndmin=2, comments=None)
    except (ValueError, OverflowError) as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path}: not a table of whole numbers ({first})") from error
    if values.shape[1] != columns or values.min() < 0 or values.max() > 255:
        raise DataError(f"{path}: expected {columns} columns of grey levels 0..255")
    images = check_images(path, values[:, labelled:].reshape(-1, SIDE, SIDE))
    if not labelled:
        return Content(path, "csv-unlabelled", {"images": images})
    return Content(
        path, "csv-labelled", {"images": images, "labels": check_labels(path, values[:, 0])}
    )


def _read_bytes(stream, limit):
    """Read up to `limit` bytes without ever allocating for bytes that are not there."""
    data = bytearray()
    while len(data) < limit and (piece := stream.read(min(limit - len(data), 2**20))):
        data += piece
    return data


def check_images(path, values):
    """Return (N, 28, 28) uint8 images or raise DataError."""
    if values.ndim != 3 or values.shape[1:] != (SIDE, SIDE) or values.dtype.kind not in "ui":
        raise DataError(
            f"{path}: expected whole-number images (N, 28, 28), got {values.shape} {values.dtype}"
        )
    if not 0 < len(values) <= MAX_IMAGES or values.min() < 0 or values.max() > 255:
        raise DataError(f"{path}: expected 1 to {MAX_IMAGES} images of grey levels 0..255")
    return values.astype(np.uint8, copy=False)


def check_labels(path, values):
    """Return (N,) uint8 labels in 0..9 or raise DataError."""
    if values.ndim != 1 or values.dtype.kind not in "ui" or len(values) == 0:
        raise DataError(f"{path}: expected whole-number labels (N,), got {values.shape}")
    if values.min() < 0 or values.max() > 9:
        raise DataError(f"{path}: expected labels 0..9, got {values.min()}..{values.max()}")
    return values.astype(np.uint8, copy=False)
