"""What the tests of the build share: running build.py, and looking at what it made."""

import gzip
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from builder.addresses import logical, twin
from builder.pinned import PINNED

ROOT = Path(__file__).resolve().parents[2]


def run(repository, *arguments, **variables):
    """Run a repository's build.py as a stranger would, in an interpreter without site-packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(repository / "build.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **{name: str(value) for name, value in variables.items()}},
    )


def assert_refused(done, *words):
    """Assert exit code 2 and one line on stderr that holds `words`."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def tree(folder):
    """Return the content of all files below a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def by_name(site):
    """Return the content of all files of a site by the names that they had before the build.

    What is stored as .gz is undone; what is stored twice is the same in both forms.
    """
    found, twins = {}, {}
    for path, data in tree(site).items():
        name, content = logical(path), gzip.decompress(data) if path.endswith(".gz") else data
        place = twins if twin(path) else found
        assert name not in place, f"{path}: left by another build"
        place[name] = content
    assert all(found[name] == content for name, content in twins.items())
    return found


def address(site, name):
    """Return the path in a site of a file by the name that it had before the build."""
    (path,) = [path for path in tree(site) if logical(path) == name and not twin(path)]
    return path


def by_module(archive):
    """Return path and text of each module of a zip, by its full name."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        found = {name: opened.read(name) for name in opened.namelist() if name.endswith(".py")}
    names = {path: path[:-3].replace("/", ".").removesuffix(".__init__") for path in found}
    return {names[path]: (path, text) for path, text in found.items()}


def copy_repository(target):
    """Copy what a build reads to `target`."""
    skip = shutil.ignore_patterns("__pycache__", "workshop")
    for name in ("builder", "web", "pynet", "weights"):
        shutil.copytree(ROOT / name, target / name, ignore=skip)
    for name in ("build.py", "LICENSE"):
        shutil.copy(ROOT / name, target / name)
    return target


def unpack(runtime, folder):
    """Lay the pinned files out as unpacked packages would hold them; return the folder."""
    for number, file in enumerate(PINNED):
        path = folder / f"package-{number}" / file.name
        path.parent.mkdir(parents=True)
        path.write_bytes(runtime[file.path])
    return folder


def cached(folder):
    """Return the names of all that a cache folder holds, hidden files too."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
