"""Save all that a training run needs to go on, and find it again after whatever went wrong.

A checkpoint is one `.npz` without pickles: arrays, and a JSON text under "state". It is written
whole or not at all.
"""

from __future__ import annotations

import io
import json
import shutil
import zipfile
import zlib
from pathlib import Path

import numpy as np

from pynet.workshop import outputs

KEEP = 2
PATTERN = "epoch-*.npz"
# Some forty times what a network of half a million weights needs with Adam and averages.
MAX_BYTES = 512 * 2**20


class CheckpointError(ValueError):
    """No checkpoint can be used; the message names the file or folder in one line."""


def save(folder: Path, epoch: int, arrays: dict, state: dict) -> Path:
    """Write the checkpoint of an epoch and drop all but the newest few.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    epoch : int
        Epochs done so far in the whole run.
    arrays : dict of str to ndarray
    state : dict
        Anything that JSON can hold.

    Raises
    ------
    OSError
        If it cannot be written; older checkpoints stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = np.frombuffer(json.dumps(state).encode(), np.uint8)
    file = io.BytesIO()
    np.savez(file, state=text, **{f"array/{name}": array for name, array in arrays.items()})
    path = folder / f"epoch-{epoch:05d}.npz"
    outputs.write(path, file.getvalue())
    for old in sorted(folder.glob(PATTERN))[:-KEEP]:
        old.unlink(missing_ok=True)
    return path


def load_newest(folder: Path) -> tuple[dict, dict, list[str]]:
    """Read the newest checkpoint that is whole.

    Returns
    -------
    arrays : dict of str to ndarray
    state : dict
    notices : list of str
        One line for each damaged checkpoint that was passed over.

    Raises
    ------
    CheckpointError
        If there is none.
    """
    paths = sorted(folder.glob(PATTERN), reverse=True)
    notices = []
    for path in paths:
        try:
            arrays, state = _load(path)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error,
                RuntimeError, MemoryError) as error:  # fmt: skip
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            notices.append(f"{path}: damaged ({reason}); trying the one before")
            continue
        return arrays, state, notices
    if paths:
        raise CheckpointError(f"{folder}: every checkpoint is damaged; start without --resume")
    raise CheckpointError(f"{folder}: no checkpoint to resume from; start without --resume")


def _load(path):
    """Read one checkpoint; whatever is wrong with it raises."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise ValueError(f"{size} bytes unpacked, expected at most {MAX_BYTES}")
    with np.load(path, allow_pickle=False) as archive:
        state = json.loads(archive["state"].tobytes())
        arrays = {
            name.removeprefix("array/"): archive[name] for name in archive.files if name != "state"
        }
    if not isinstance(state, dict):
        raise ValueError("its state is not an object")
    return arrays, state


def set_aside(folder: Path) -> Path | None:
    """Make room for a new run: drop the checkpoints of a finished one, keep those of another.

    Returns
    -------
    Path or None
        The folder, named "....previous", that now holds the checkpoints of an unfinished run.
    """
    if not any(folder.glob(PATTERN)):
        return None
    try:
        finished = load_newest(folder)[1].get("finished", False)
    except CheckpointError:
        finished = False
    if finished:
        for path in folder.glob(PATTERN):
            path.unlink()
        return None
    previous = folder.with_name(folder.name + ".previous")
    if previous.exists():
        shutil.rmtree(previous)
    folder.replace(previous)
    folder.mkdir()
    return previous
