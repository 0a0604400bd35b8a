"""Checkpoints: what goes in comes out, and damage is passed over."""

import numpy as np
import pytest

from pynet.workshop import checkpoints
from pynet.workshop.checkpoints import CheckpointError, load_newest, save, set_aside

ARRAYS = {"params/0.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "x/steps": np.array(7)}
STATE = {"epoch": 1, "rng": {"state": 2**127 + 1}, "share": 0.1, "finished": False}


def test_round_trip(tmp_path):
    """Arrays keep their dtype and values, and the state every bit of its numbers."""
    save(tmp_path / "new", 1, ARRAYS, STATE)
    arrays, state, notices = load_newest(tmp_path / "new")
    assert state == STATE
    assert notices == []
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


def test_keeps_the_last_few(tmp_path):
    """Only the newest two stay, and the newest is read; other files are left alone."""
    (tmp_path / "mine.txt").write_text("")
    for epoch in range(1, 12):
        save(tmp_path, epoch, ARRAYS, STATE | {"epoch": epoch})
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["epoch-00010.npz", "epoch-00011.npz", "mine.txt"]
    assert load_newest(tmp_path)[1]["epoch"] == 11


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"not an archive",
        lambda data: data[:200] + bytes(40) + data[240:],
        lambda data: data.replace(b"state.npy", b"other.npy"),
    ],
)
def test_damage_falls_back(tmp_path, damage):
    """A damaged newest checkpoint costs one notice and one epoch."""
    save(tmp_path, 1, ARRAYS, STATE)
    newest = save(tmp_path, 2, ARRAYS, STATE | {"epoch": 2})
    newest.write_bytes(damage(newest.read_bytes()))
    _, state, notices = load_newest(tmp_path)
    assert state["epoch"] == 1
    assert len(notices) == 1
    assert str(newest) in notices[0]
    assert "\n" not in notices[0]


def test_pickles_are_not_read(tmp_path):
    """An array of objects counts as damage."""
    np.savez(tmp_path / "epoch-00001.npz", state=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="every checkpoint is damaged"):
        load_newest(tmp_path)


def test_bomb(tmp_path, monkeypatch):
    """An archive that unpacks to more than any run needs is not unpacked."""
    monkeypatch.setattr(checkpoints, "MAX_BYTES", 100_000)
    np.savez_compressed(tmp_path / "epoch-00001.npz", state=np.zeros(10**6, np.uint8))
    with pytest.raises(CheckpointError, match="every checkpoint is damaged"):
        load_newest(tmp_path)


def test_none(tmp_path):
    """An empty or missing folder is one line."""
    with pytest.raises(CheckpointError, match="no checkpoint to resume from"):
        load_newest(tmp_path / "nothing")


def test_set_aside(tmp_path):
    """Unfinished runs are kept under another name, finished ones dropped."""
    folder = tmp_path / "a.checkpoints"
    assert set_aside(folder) is None
    save(folder, 3, ARRAYS, STATE)
    previous = set_aside(folder)
    assert load_newest(previous)[1] == STATE
    assert list(folder.iterdir()) == []
    save(folder, 5, ARRAYS, STATE | {"finished": True})
    assert set_aside(folder) is None
    assert list(folder.iterdir()) == []
    assert load_newest(previous)[1] == STATE


def test_failed_write_keeps_the_old(tmp_path, monkeypatch):
    """When a write fails the checkpoints before it are all there."""
    for epoch in (1, 2):
        save(tmp_path, epoch, ARRAYS, STATE)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"epoch-00003\.npz"):
        save(tmp_path, 3, ARRAYS, STATE)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
