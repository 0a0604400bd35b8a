"""The weights file: what is saved comes back; what is broken or hostile is named and refused."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynet.nn import files, models, weights
from pynet.nn.layers import Flatten, Linear
from pynet.nn.network import Sequential


@pytest.fixture
def network(rng):
    """Return a small network."""
    return Sequential([Flatten(), Linear(4, 3, rng=rng)])


@pytest.fixture
def data(network):
    """Return the bytes of its file."""
    return weights.dumps(network, {"model": "small"})


def rewrite(data, **changes):
    """Return `data` with members replaced: None removes one, bytes or an array sets it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    for name, value in changes.items():
        key = name.replace("__", ".") + ".npy"
        if value is None:
            del members[key]
        elif isinstance(value, bytes):
            members[key] = value
        else:
            file = io.BytesIO()
            np.lib.format.write_array(file, value, allow_pickle=value.dtype.hasobject)
            members[key] = file.getvalue()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, value)
    return file.getvalue()


def meta(value):
    """Return JSON, or text, as the uint8 array that the file holds."""
    text = value if isinstance(value, str) else json.dumps(value)
    return np.frombuffer(text.encode(), np.uint8)


def header(shape, descr="<f2"):
    """Return the start of an .npy file that promises `shape`."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"shape": shape, "fortran_order": False, "descr": descr}
    )
    return file.getvalue()


def test_round_trip(network, tmp_path):
    """Arrays come back as they were to float16, and metadata with format and architecture."""
    path = tmp_path / "small.npz"
    weights.save(path, network, {"model": "small", "classes": ["a", "b", "ö"]})
    loaded, metadata = weights.load(path)
    assert repr(loaded) == repr(network)
    assert metadata == {
        "model": "small",
        "classes": ["a", "b", "ö"],
        "format": 1,
        "architecture": network.config(),
    }
    for key, param in network.params.items():
        assert loaded.params[key].dtype == np.float32
        np.testing.assert_array_equal(loaded.params[key], param.astype(np.float16))


def test_float32_is_exact(network):
    """Stored as float32, nothing is lost."""
    loaded, _ = weights.loads(weights.dumps(network, {}, dtype="float32"))
    for key, param in network.params.items():
        np.testing.assert_array_equal(loaded.params[key], param)


def test_numpy_reads_it(network, tmp_path):
    """numpy.load opens the file without pickles, and finds the JSON under meta."""
    weights.save(tmp_path / "small.npz", network, {"seed": 3})
    with np.load(tmp_path / "small.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {"meta", "1.weight", "1.bias"}
        assert json.loads(archive["meta"].tobytes())["seed"] == 3


def test_a_file_by_numpy_is_read(network, tmp_path):
    """A file that numpy.savez wrote, as other people will, loads too."""
    text = json.dumps({"format": 1, "architecture": network.config()})
    np.savez(tmp_path / "own.npz", meta=np.frombuffer(text.encode(), np.uint8), **network.params)
    loaded, _ = weights.load(tmp_path / "own.npz")
    np.testing.assert_array_equal(loaded.params["1.weight"], network.params["1.weight"])


def test_same_bytes(network, monkeypatch):
    """The bytes depend on nothing but the network and the metadata."""
    first = weights.dumps(network, {"b": 1, "a": 2})
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert weights.dumps(network, {"a": 2, "b": 1}) == first


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e6])
def test_values_that_float16_cannot_hold(network, value):
    """NaN, infinity and overflow are refused by key before anything is written."""
    network.params["1.bias"][0] = value
    with pytest.raises(ValueError, match=r"1\.bias must be finite as float16"):
        weights.dumps(network, {})


def test_unknown_dtype(network):
    """Only two dtypes can be stored."""
    with pytest.raises(ValueError, match="float16 or float32, got 'int8'"):
        weights.dumps(network, {}, dtype="int8")


def test_failed_write_leaves_the_old_file(network, tmp_path, monkeypatch):
    """When the disk is full, the file that was there stays whole and no other is left behind."""
    path = tmp_path / "small.npz"
    weights.save(path, network, {"seed": 1})
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        weights.save(path, network, {"seed": 2})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_really_full_disk(tmp_path):
    """A file size limit of the system, hit half way, leaves nothing behind."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            files.write_atomically(tmp_path / "big.bin", b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_written_files_follow_the_umask(tmp_path):
    """A file is as readable to others as any other file of the user."""
    before = os.umask(0o027)
    try:
        files.write_atomically(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


ARCHITECTURE = [{"type": "Flatten"}, {"type": "Linear", "in_features": 4, "out_features": 3}]
BROKEN = {
    "missing array": ({"1__bias": None}, r"1\.bias: missing"),
    "extra array": ({"7__bias": np.zeros(3)}, r"7\.bias: the architecture has no such array"),
    "wrong shape": ({"1__bias": np.zeros(4)}, r"1\.bias: must have shape \(3,\), got \(4,\)"),
    "nan": ({"1__bias": np.full(3, np.nan)}, r"1\.bias: must be finite floats"),
    "infinity": ({"1__weight": np.full((3, 4), np.inf, "<f2")}, r"1\.weight: must be finite"),
    "integers": ({"1__bias": np.zeros(3, np.uint8)}, r"1\.bias: must be finite floats"),
    "pickle": ({"1__bias": np.array([{}, 1, 2], object)}, r"1\.bias: must hold floats"),
    "text": ({"1__bias": np.array(["a"])}, r"1\.bias: must hold floats"),
    "no npy": ({"1__bias": b"hello"}, r"1\.bias: damaged"),
    "short": ({"1__bias": header((3,)) + b"12"}, r"1\.bias: damaged, 2 bytes"),
    "promises 10^12": ({"1__bias": header((10**12,))}, r"1\.bias: damaged, 0 bytes"),
    "negative": ({"1__bias": header((-3, -2)) + b"x" * 12}, r"1\.bias: damaged"),
    "no meta": ({"meta": None}, "meta: missing"),
    "meta of floats": ({"meta": np.zeros(3)}, "no uint8 array"),
    "meta no JSON": ({"meta": meta("{")}, "meta: damaged, not JSON"),
    "meta no UTF-8": ({"meta": np.array([255], np.uint8)}, "meta: damaged, not JSON"),
    "meta too deep": ({"meta": meta("[" * 200000)}, "meta: damaged, not JSON"),
    "meta a list": ({"meta": meta([])}, "meta: format must be 1, got None"),
    "later format": ({"meta": meta({"format": 2})}, "format must be 1, got 2: update pynet"),
    "no architecture": ({"meta": meta({"format": 1})}, "architecture is missing"),
}
for name, architecture, message in [
    ("architecture a text", "Linear", "at least one layer"),
    ("architecture empty", [], "at least one layer"),
    ("unknown layer", [{"type": "Magic"}], "layer 0 must be one of .*got 'Magic'"),
    ("layer a number", [3], "layer 0 must be one of .*got 3"),
    ("layer type a list", [{"type": []}], "layer 0 must be one of"),
    ("missing argument", [{"type": "Linear", "in_features": 4}], "layer 0, Linear: .*missing"),
    ("strange argument", [{"type": "ReLU", "init": 3}], "layer 0, ReLU, takes no arguments"),
    (
        "huge layer",
        [{"type": "Linear", "in_features": 2**20, "out_features": 2**20}],
        "more memory|must have shape",
    ),
    (
        "huge convolution",
        [
            {
                "type": "Conv2d",
                "in_channels": 2**20,
                "out_channels": 2**20,
                "kernel_size": 1024,
                "stride": 1,
                "padding": 0,
                "bias": True,
            }
        ],
        "more memory|too big|too large|[Mm]aximum allowed",
    ),
    (
        "convolution of nothing",
        [{"type": "Conv2d", "in_channels": 1, "out_channels": 0, "kernel_size": 3}],
        "out_channels must be an integer",
    ),
    (
        "padding a text",
        [{"type": "Conv2d", "in_channels": 1, "out_channels": 2, "kernel_size": 3, "padding": "1"}],
        "padding must be an integer",
    ),
    (
        "huger layer",
        [{"type": "Linear", "in_features": 4, "out_features": 10**30}],
        "out_features must be an integer",
    ),
    (
        "layer size a text",
        [{"type": "Linear", "in_features": "4", "out_features": 3}],
        "in_features must be an integer",
    ),
]:
    BROKEN[name] = ({"meta": meta({"format": 1, "architecture": architecture})}, message)


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files(name, data):
    """Each kind of damage gives one line that names the file and what is wrong."""
    changes, message = BROKEN[name]
    with pytest.raises(weights.WeightsError, match=message) as caught:
        weights.loads(rewrite(data, **changes), name="mine.npz")
    assert str(caught.value).startswith("mine.npz: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("junk", [b"", b"PK", b"\x93NUMPY", b"PK\x05\x06" + bytes(18), b"x" * 999])
def test_no_archive(junk):
    """What is no zip archive, or an empty one, is refused."""
    with pytest.raises(weights.WeightsError):
        weights.loads(junk)


def test_truncated_anywhere(data):
    """A file that was cut off at any point is refused."""
    for length in range(0, len(data), 7):
        with pytest.raises(weights.WeightsError):
            weights.loads(data[:length])


def test_flipped_bits(data):
    """A changed byte is found out or harmless, but never another error."""
    for position in range(0, len(data), 3):
        changed = bytearray(data)
        changed[position] ^= 0xFF
        with contextlib.suppress(weights.WeightsError):
            weights.loads(bytes(changed))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(junk):
    """No bytes whatever raise anything but WeightsError."""
    for data in (junk, b"PK\x03\x04" + junk):
        with pytest.raises(weights.WeightsError):
            weights.loads(data)


def test_zip_bomb(data):
    """An archive that would unpack to more than the limit is refused before it is unpacked."""
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("9.bias.npy", bytes(weights.MAX_BYTES))
    with pytest.raises(weights.WeightsError, match=r"at most .* bytes unpacked"):
        weights.loads(file.getvalue())


def test_too_many_members(data):
    """An archive of thousands of members is refused."""
    file = io.BytesIO(data)
    with zipfile.ZipFile(file, "a") as archive:
        for index in range(weights.MAX_ARRAYS):
            archive.writestr(f"{index}.x.npy", b"")
    with pytest.raises(weights.WeightsError, match="at most 1000 arrays"):
        weights.loads(file.getvalue())


def test_huge_file(tmp_path):
    """A file above the limit is refused before it is read."""
    path = tmp_path / "huge.npz"
    with path.open("wb") as file:
        file.truncate(weights.MAX_BYTES + 1)
    with pytest.raises(weights.WeightsError, match=r"huge\.npz: must be at most"):
        weights.load(path)


def test_missing_file(tmp_path):
    """A file that is not there is an OSError, like any other."""
    with pytest.raises(FileNotFoundError):
        weights.load(tmp_path / "none.npz")


@pytest.mark.parametrize("name", models.MODELS)
def test_loading_needs_no_random_numbers(name, repository, tmp_path):
    """Loading weights in a fresh interpreter does not import numpy.random."""
    path = tmp_path / "model.npz"
    weights.save(path, models.build(name), {})
    # numpy imports its submodules lazily, so that sys.modules tells.
    code = (
        "import sys; from pynet.nn import weights; weights.load(sys.argv[1]); "
        "print('numpy.random' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, path],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "False\n"
