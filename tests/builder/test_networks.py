"""weights/: its index, and files that are damaged or hostile."""

import io
import json
import shutil
import zipfile

import numpy as np
import pytest
from building import assert_refused, by_name, run, tree

import pynet
from builder.console import BuildError
from builder.networks import read_weights
from pynet.nn import weights as weights_file


def small_network():
    """Return a small network with known weights."""
    rng = np.random.default_rng(1)
    layers = [pynet.Flatten(), pynet.Linear(784, 10, rng=rng)]
    return pynet.Sequential(layers)


def test_index_lists_the_networks(repository):
    """weights/index.json tells names, files, sizes, parameters and accuracy, the default first."""
    shutil.rmtree(repository / "weights")
    (repository / "weights").mkdir()
    network = small_network()
    for name, meta in (("alpha", {}), ("mlp", {"accuracy": {"test": 0.99}}), ("convnet", {})):
        pynet.save(repository / "weights" / f"{name}.npz", network, meta)
    assert run(repository, "--offline").returncode == 0
    files = by_name(repository / "dist")
    index = json.loads(files["weights/index.json"])
    assert [entry["name"] for entry in index] == ["convnet", "mlp", "alpha"]
    for entry in index:
        data = files[f"weights/{entry['file']}"]
        assert len(data) == entry["bytes"]
        assert entry["parameters"] == 784 * 10 + 10
        assert weights_file.loads(data, name="")[0].predict(np.zeros((1, 28, 28, 1))).size
    assert [entry.get("accuracy") for entry in index] == [None, 0.99, None]


def test_site_without_networks_is_not_built(repository):
    """A page with no network to ask is not built."""
    shutil.rmtree(repository / "weights")
    assert_refused(run(repository, "--offline"), "weights/ holds no network")


def write_members(path, members):
    """Write a zip archive with the given members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def npy(array):
    """Return an array in .npy format."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def meta(value):
    """Return metadata as the weights file holds it."""
    return npy(np.frombuffer(json.dumps(value).encode(), np.uint8))


GOOD = {"format": 1, "architecture": []}
BROKEN = {
    "empty": lambda path, good: path.write_bytes(b""),
    "truncated": lambda path, good: path.write_bytes(good[: len(good) // 2]),
    "renamed picture": lambda path, good: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "flipped bytes": lambda path, good: path.write_bytes(
        good[:300] + bytes(255 - b for b in good[300:340]) + good[340:]
    ),
    "no meta": lambda path, good: write_members(path, {"0.weight.npy": npy(np.ones(3))}),
    "meta is no JSON": lambda path, good: write_members(
        path, {"meta.npy": npy(np.frombuffer(b"{half", np.uint8))}
    ),
    "meta is a list": lambda path, good: write_members(path, {"meta.npy": meta([1, 2])}),
    "meta of floats": lambda path, good: write_members(path, {"meta.npy": npy(np.ones(9))}),
    "foreign npz": lambda path, good: write_members(path, {"meta.npy": meta({"by": "others"})}),
    "member is no array": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": b"short"}
    ),
    "array cut short": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": npy(np.ones(99))[:-8]}
    ),
    "array of pickles": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": npy(np.array([{}], object))}
    ),
    "code for a header": lambda path, good: write_members(
        path, {"meta.npy": b"\x93NUMPY\x01\x00\x20\x00__import__('os').getcwd()       \n"}
    ),
    "accuracy that is no share": lambda path, good: pynet.save(
        path, small_network(), {"accuracy": {"test": 99.2}}
    ),
    "zip bomb": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": bytes(80_000_000)}
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_weights_are_refused(kind, repository, site):
    """Damaged or hostile weights: one line that names the file, exit 2, the old site untouched."""
    out = repository / "dist"
    shutil.copytree(site, out)
    path = repository / "weights" / "worse.npz"
    pynet.save(path, small_network(), {})
    BROKEN[kind](path, path.read_bytes())
    assert_refused(run(repository, "--offline"), "weights/worse.npz")
    assert tree(out) == tree(site)
    assert not list(repository.glob(".dist-*"))


def test_changed_bytes_never_end_in_a_traceback(tmp_path, rng):
    """Weights with random damage are read, or refused with the one error that has a message."""
    path = tmp_path / "mlp.npz"
    members = {"meta.npy": meta(GOOD), "0.weight.npy": npy(np.ones((3, 4), np.float16))}
    write_members(path, members)
    good = path.read_bytes()
    assert read_weights(good, "mlp.npz") == (GOOD, 12)
    outcomes = []
    for _ in range(2000):
        data = bytearray(good)
        for place in rng.integers(len(good), size=rng.integers(1, 4)):
            data[place] = rng.integers(256)
        if rng.random() < 0.3:
            del data[rng.integers(len(good)) :]
        try:
            read_weights(bytes(data), "mlp.npz")
            outcomes.append("")
        except BuildError as error:
            outcomes.append(str(error))
    refusals = [outcome for outcome in outcomes if outcome]
    assert 0 < len(refusals) < len(outcomes)
    assert all(text.startswith("mlp.npz: ") and "\n" not in text for text in refusals)
