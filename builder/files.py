"""Files: their hashes, what a folder holds, the cache of downloads, and writing all or nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

from builder.console import ROOT


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hex."""
    return hashlib.sha256(data).hexdigest()


def to_json(value: object) -> bytes:
    """Return JSON that is the same for the same value."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def source_files(folder: Path) -> list[Path]:
    """Return all files below `folder` in one order everywhere, without what tools leave there."""
    return sorted(
        (
            path
            for path in folder.rglob("*")
            if path.is_file()
            and "__pycache__" not in path.parts
            and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        ),
        key=lambda path: path.as_posix(),
    )


def folder_size(folder: Path) -> int:
    """Return the bytes below `folder`, of which files may vanish meanwhile."""
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
    return size


def cache_folder() -> Path:
    """Return the folder that keeps downloads: PYNET_CACHE, else the platform's place for caches."""
    if named := os.environ.get("PYNET_CACHE"):
        return Path(named).resolve()
    try:
        home = Path.home()
    except RuntimeError:  # no HOME and no account
        return ROOT / ".cache"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData/Local") / "pynet" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "pynet"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "pynet"


def write_atomically(path: Path, data: bytes) -> None:
    """Write the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        umask = os.umask(0)
        os.umask(umask)
        part.chmod(0o666 & ~umask)  # mkstemp makes files that only their owner may read
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
