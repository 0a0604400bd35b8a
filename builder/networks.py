"""The trained networks of weights/, which others may have made: read without numpy or trust."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import math
import re
import struct
import zipfile
import zlib

from builder.console import ROOT, BuildError, one_line, shown
from builder.files import to_json

MAX_WEIGHTS = 64 * 2**20  # bytes, packed or not: far above any network for a page


def weights() -> dict[str, bytes]:
    """Return the trained networks and weights/index.json, which lists them, the default first."""
    files, entries = {}, []
    for path in sorted((ROOT / "weights").glob("*.npz")):
        if path.stat().st_size > MAX_WEIGHTS:
            raise BuildError(f"{shown(path)}: expected at most {MAX_WEIGHTS} bytes")
        data = path.read_bytes()
        meta, parameters = read_weights(data, shown(path))
        files[f"weights/{path.name}"] = data
        entry = {"name": path.stem, "file": path.name, "bytes": len(data), "parameters": parameters}
        with contextlib.suppress(KeyError, TypeError):  # it may have been trained without a test
            entry["accuracy"] = meta["accuracy"]["test"] + 0
            if not 0 <= entry["accuracy"] <= 1:
                raise BuildError(f"{shown(path)}: accuracy must be in [0, 1]")
        entries.append(entry)
    if not entries:
        raise BuildError("weights/ holds no network: restore it with git, or train one")
    best_first = ["convnet", "mlp"]
    rank = {name: place for place, name in enumerate(best_first)}
    entries.sort(key=lambda entry: (rank.get(entry["name"], len(rank)), entry["name"]))
    return {**files, "weights/index.json": to_json(entries)}


def read_weights(data: bytes, name: str) -> tuple[dict, int]:
    """Return a network's metadata and its number of saved values, with no numpy at hand.

    The file is a zip of .npy arrays; `meta` is JSON as a 1-D uint8 array. Raises BuildError for
    whatever is not so, before anything large is unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if unpacked > MAX_WEIGHTS or len(members) > 1000:
                raise ValueError(f"{len(members)} arrays of {unpacked} bytes are too many")
            for member in members:
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise ValueError(f"{member.filename} is neither stored nor deflated")
            arrays = {m.filename: read_npy(archive.read(m), m.filename) for m in members}
        if "meta.npy" not in arrays:
            raise ValueError("meta is missing: pynet did not write this file")
        dtype, shape, body = arrays.pop("meta.npy")
        if dtype != "|u1" or len(shape) != 1:
            raise ValueError(f"meta must be 1-D uint8, got {dtype} of shape {shape}")
        meta = json.loads(body)
        if not isinstance(meta, dict) or not {"format", "architecture"} <= meta.keys():
            raise ValueError("meta must be a JSON object with format and architecture")
    except BROKEN as error:
        reason = one_line(error) or type(error).__name__
        raise BuildError(f"{name}: not usable as weights: {reason}") from None
    return meta, sum(math.prod(shape) for _, shape, _ in arrays.values())


# What reading a damaged or hostile archive may raise, before our own checks find it.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, MemoryError),
    *(ValueError, TypeError, LookupError, SyntaxError, RuntimeError),
)


def read_npy(data: bytes, name: str) -> tuple[str, tuple[int, ...], bytes]:
    """Return dtype, shape and body of one .npy member (numpy.lib.format, versions 1 to 3)."""
    if data[:6] != b"\x93NUMPY":
        raise ValueError(f"{name} is not a .npy array")
    width, size = ("<H", 2) if data[6] == 1 else ("<I", 4)
    (length,) = struct.unpack_from(width, data, 8)
    start = 8 + size + length
    header = ast.literal_eval(data[8 + size : start].decode("utf-8"))
    dtype, shape = str(header["descr"])[:40], header["shape"]
    item = re.fullmatch(r"[<>|=][biuf](\d)", dtype)
    if item is None or min(shape, default=0) < 0:
        raise ValueError(f"{name} holds no plain numbers: {dtype}")
    if len(data) - start != int(item[1]) * math.prod(shape):
        raise ValueError(f"{name}: {len(data) - start} bytes do not make {dtype} of that shape")
    return dtype, shape, data[start:]
