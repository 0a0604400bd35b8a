"""The weights file: one `.npz` with every array, and all that one must know of them as JSON.

The arrays stand under their paths (``0.weight``, ``3.running_mean``), as float16 or float32; the
JSON text stands under ``meta``, as uint8. numpy.load reads such a file; so does `load`, which also
trusts nothing in it: no pickles, no size that was not checked, no array that does not fit.
"""

import io
import json
import math
import zipfile
import zlib
from pathlib import Path

import numpy as np

from pynet.nn import models
from pynet.nn.certainty import Certainty
from pynet.nn.files import write_atomically

FORMAT = 1
# Far above any network for a page; below what would hurt a phone.
MAX_BYTES = 64 * 2**20
MAX_META_BYTES = 2**20
MAX_ARRAYS = 1000


class WeightsError(ValueError):
    """A weights file that cannot be used: the message names the file, the key and what is wrong."""


def save(path, network, metadata, *, dtype="float16"):
    """Write a network and what is known of it.

    Parameters
    ----------
    path : str or Path
        Replaced whole, or left as it was.
    network : Sequential
    metadata : dict
        Anything that JSON can hold. `pynet.train` writes model, classes, preprocessing, recipe,
        seed, data, accuracy and certainty (see `pynet.nn.certainty`); "format" and "architecture"
        are added here.
    dtype : {"float16", "float32"}
        How to store the arrays.

    Raises
    ------
    ValueError
        For values that are not finite, also once they are stored as `dtype`.
    OSError
        Where the file cannot be written.
    """
    write_atomically(path, dumps(network, metadata, dtype=dtype))


def dumps(network, metadata, *, dtype="float16"):
    """Return the bytes that `save` writes: the same for the same network and metadata."""
    if dtype not in ("float16", "float32"):
        raise ValueError(f"dtype must be float16 or float32, got {dtype!r}")
    meta = {**metadata, "format": FORMAT, "architecture": network.config()}
    text = json.dumps(meta, sort_keys=True, allow_nan=False, ensure_ascii=False)
    members = {"meta": np.frombuffer(text.encode(), np.uint8)}
    for name, array in {**network.params, **network.buffers}.items():
        with np.errstate(over="ignore"):  # an overflow is found, and named, on the next line
            stored = array.astype(dtype)
        if not np.isfinite(stored).all():
            raise ValueError(f"{name} must be finite as {dtype}, got values that are not")
        members[name] = stored
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in members.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            # A ZipInfo of our own has the date 1980-01-01: no clock gets into the bytes.
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, member.getvalue())
    return file.getvalue()


def load(path):
    """Read a network and what is known of it.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    network : Sequential
        With float32 arrays.
    metadata : dict
        With "format" and "architecture", as saved.

    Raises
    ------
    WeightsError
        For a file that is not such a file, damaged, hostile, or made by a later pynet.
    OSError
        For a file that is not there or may not be read.
    """
    path = Path(path)
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path}: must be at most {MAX_BYTES} bytes, got {path.stat().st_size}")
    return loads(path.read_bytes(), name=str(path))


def loads(data, *, name="weights"):
    """Read a network from the bytes of a weights file; see `load`.

    Parameters
    ----------
    data : bytes
    name : str
        What messages call the file.
    """
    try:
        arrays = _read_members(data)
        metadata = _read_metadata(arrays)
        network = models.from_config(metadata["architecture"])
        _fill(network, arrays)
    except MemoryError:
        raise WeightsError(f"{name}: architecture needs more memory than there is") from None
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError) as error:
        # RuntimeError is zipfile's word for features of zip that it does not know.
        reason = " ".join(str(error).split()) or "damaged"
        raise WeightsError(f"{name}: {reason}") from None
    return network, metadata


def _read_members(data):
    """Return all arrays of the archive by name, having checked each size before using it."""
    if data[:2] != b"PK":
        raise ValueError("not an .npz file (a zip archive): download or train it again")
    arrays = {}
    if not zipfile.is_zipfile(io.BytesIO(data)):
        raise ValueError("damaged or cut short: copy, download or train it again")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        total = sum(entry.file_size for entry in entries)
        if len(entries) > MAX_ARRAYS or total > MAX_BYTES:
            raise ValueError(
                f"must hold at most {MAX_ARRAYS} arrays and {MAX_BYTES} bytes unpacked, "
                f"got {len(entries)} and {total}"
            )
        for entry in entries:
            if entry.flag_bits & 1 or entry.compress_type not in (
                zipfile.ZIP_STORED,
                zipfile.ZIP_DEFLATED,
            ):
                raise ValueError(f"{entry.filename}: must be stored or deflated, not encrypted")
            key = entry.filename.removesuffix(".npy")
            arrays[key] = _read_array(key, archive.read(entry))
    return arrays


def _read_array(key, data):
    """Return the array of one .npy file, whose header must promise what the file holds."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran_order, dtype = read(file)
    except (ValueError, KeyError, TypeError, SyntaxError):
        raise ValueError(f"{key}: damaged, its .npy header cannot be read") from None
    if dtype.hasobject or dtype.kind not in "fu" or dtype.itemsize > 8:
        raise ValueError(f"{key}: must hold floats, or uint8 for meta, got {dtype}")
    body = data[file.tell() :]
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(body):
        raise ValueError(f"{key}: damaged, {len(body)} bytes for {dtype} of shape {shape}")
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran_order else "C")


def _read_metadata(arrays):
    """Take the JSON out of `arrays` and return it, with the keys that loading relies on."""
    meta = arrays.pop("meta", None)
    if meta is None or meta.dtype != np.uint8 or meta.size > MAX_META_BYTES:
        raise ValueError("meta: missing or no uint8 array: this is no pynet weights file")
    try:
        metadata = json.loads(meta.tobytes().decode())
    except (ValueError, RecursionError):
        raise ValueError("meta: damaged, not JSON") from None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        got = metadata.get("format") if isinstance(metadata, dict) else None
        raise ValueError(f"meta: format must be {FORMAT}, got {got!r:.40}: update pynet")
    if "architecture" not in metadata:
        raise ValueError("meta: architecture is missing")
    Certainty.of(metadata)
    return metadata


def _fill(network, arrays):
    """Copy `arrays` into the network's parameters and buffers, which they must match one to one."""
    expected = {**network.params, **network.buffers}
    for key in sorted(expected.keys() | arrays.keys()):
        if key not in arrays:
            raise ValueError(f"{key}: missing")
        if key not in expected:
            raise ValueError(f"{key[:80]}: the architecture has no such array")
        target, source = expected[key], arrays[key]
        if source.shape != target.shape:
            raise ValueError(f"{key}: must have shape {target.shape}, got {source.shape}")
        if source.dtype.kind != "f" or not np.isfinite(source).all():
            raise ValueError(f"{key}: must be finite floats")
        np.copyto(target, source, casting="same_kind")
