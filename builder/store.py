"""The pinned files that are here: in the cache, or in a folder or archive that --runtime names."""

from __future__ import annotations

import contextlib
import functools
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from builder.console import BuildError, one_line, say
from builder.files import sha256, write_atomically
from builder.pinned import PINNED, Pinned


class Store:
    """The pinned files found so far, and their cache; nothing enters it but the right bytes."""

    def __init__(self, folder: Path, files: Sequence[Pinned] = PINNED) -> None:
        self.folder, self.files = folder, files
        self.found: dict[Pinned, bytes] = {}
        for file in files:
            with contextlib.suppress(OSError):  # not there yet, or unreadable: it is fetched anew
                data = self.path(file).read_bytes()
                if sha256(data) == file.sha256:
                    self.found[file] = data

    def path(self, file: Pinned) -> Path:
        """Return where a file is cached: by hash, so that versions live side by side."""
        return self.folder / f"{file.sha256[:16]}-{file.name}"

    def missing(self) -> list[Pinned]:
        """Return what is still to be found."""
        return [file for file in self.files if file not in self.found]

    def offer(self, file: Pinned, data: bytes, where: str) -> None:
        """Keep `data` if it is the pinned file, else say what came instead."""
        got = sha256(data)
        if got != file.sha256:
            say(
                f"{where}: {file.name} refused: expected SHA-256 {file.sha256} ({file.size} bytes),"
                f" got {got} ({len(data)} bytes)"
            )
            return
        try:
            write_atomically(self.path(file), data)
        except OSError as error:
            raise BuildError(
                f"the cache {self.folder} cannot be written ({error.strerror}): make room there,"
                " or name another folder in PYNET_CACHE"
            ) from error
        self.found[file] = data

    def take(self, name: str, size: int, read: Callable[[], bytes], where: str) -> None:
        """Read and offer a file of `size` bytes if it may be a missing one, by its name."""
        for file in self.missing():
            if file.name != PurePosixPath(name).name:
                continue
            if size == file.size:
                self.offer(file, read(), f"{where}, {name}")
            elif not file.member:  # LICENSE is a name that many share: no news
                say(f"{where}, {name} refused: expected {file.size} bytes, got {size}")


def from_folder(store: Store, folder: Path) -> None:
    """Take what a folder holds: loose files, trees, and archives of npm, PyPI or Pyodide."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        store.take(path.as_posix(), path.stat().st_size, path.read_bytes, "--runtime")
    names = {file.name for file in store.files}
    for path in paths:
        if path.name not in names and path.suffix in (".tgz", ".gz", ".bz2", ".whl", ".zip"):
            from_archive(store, path)


def from_archive(store: Store, path: Path) -> None:
    """Take what an npm tarball or a wheel holds; a broken archive is passed over, with a word."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                for item in wheel.infolist():
                    read = functools.partial(wheel.read, item)
                    store.take(item.filename, item.file_size, read, path.name)
        else:
            with tarfile.open(path) as tar:
                for item in filter(tarfile.TarInfo.isfile, tar):
                    store.take(item.name, item.size, tar.extractfile(item).read, path.name)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        say(f"{path}: passed over, not a whole archive: {one_line(error)}")
