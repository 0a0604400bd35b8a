#!/usr/bin/env python3
"""Build, serve and test the site of pynet, with the standard library of any Python 3.11+.

    python build.py                                  make dist/, complete and self-contained
    python build.py serve [--port N] [--no-open]     make it, then serve it on this machine
    python build.py test [PYTEST ARGUMENT ...]       linters, type check and the whole suite

The file reads from the top down: what is pinned, the commands, how dist/ is put together, where
its runtime files come from, the licences, the server, the tests, and the small tools of them all.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import hashlib
import http.client
import http.server
import io
import json
import math
import os
import queue
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
import webbrowser
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

if sys.version_info < (3, 11):  # noqa: UP036 (whoever has an older one is to read this)
    sys.exit(f"build.py: Python 3.11 or later is needed, this is {sys.version.split()[0]}")

ROOT = Path(__file__).resolve().parent
SHORT = 4  # seconds for a CDN to answer or to send its next bytes; then it is given up

# ---- What is pinned ------------------------------------------------------------------------------
# To upgrade: change a version and build; each file that has changed is named with the hash that
# came, to be compared with the publisher's and copied here. numpy's wheel is the one that
# pyodide-lock.json of that Pyodide names.

PYODIDE = "314.0.3"
PYSCRIPT = "0.7.31"
NUMPY = "2.4.3"
NUMPY_WHEEL = f"numpy-{NUMPY}-cp314-cp314-pyemscripten_2026_0_wasm32.whl"
TYPESCRIPT = "5.9.3"
TYPESCRIPT_SHA256 = "10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3"


class Package(NamedTuple):
    """Where files are published: a folder on a CDN, an npm package, a wheel on PyPI."""

    cdn: str
    npm: str | None = None
    pip: str | None = None


def npm_package(name: str, folder: str = "", pip: str | None = None) -> Package:
    """Return an npm package, which the CDN serves file by file too."""
    return Package(f"https://cdn.jsdelivr.net/npm/{name}/{folder}", name, pip)


# open-webui's wheel (106 MB) is the one package on PyPI that carries Pyodide's numpy; only what the
# table below names is kept of it.
OPEN_WEBUI = "open-webui==0.12.4"
CORE = npm_package(f"pyodide@{PYODIDE}", pip=OPEN_WEBUI)
WHEELS = Package(f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/", pip=OPEN_WEBUI)
SCRIPT = npm_package(f"@pyscript/core@{PYSCRIPT}", "dist/")
SCRIPT_TEXT = npm_package(f"@pyscript/core@{PYSCRIPT}")
# Pyodide's npm package holds no licence texts. These hold the same texts: the Mozilla Public
# License 2.0, and Python's with its history. The other two are what PyScript's core.js bundles.
MPL = npm_package("axe-core@4.10.3")
PSF = npm_package("argparse@2.0.1")
MIT = npm_package("coincident@4.1.1")
ISC = npm_package("basic-devtools@0.1.6")


class Pinned(NamedTuple):
    """A pinned file: path in the cache, size in bytes, SHA-256, package, name in the package."""

    path: str
    size: int
    sha256: str
    package: Package
    member: str = ""

    @property
    def name(self) -> str:
        """The file name under which it is published."""
        return self.member or PurePosixPath(self.path).name


# Of PyScript: core.js, what it imports when it is loaded, and no more. The terminal's, editor's
# and TOML's chunks are never asked for by the page, nor the package graph, since pyscript.json
# sets index_urls (seen in the requests of a whole visit).
# fmt: off
PINNED = (
    Pinned("pyodide/pyodide.mjs", 17880,
           "5cfc46f5dcbaf2a16f26e2363f441873eb424762609cc03db00d6a2ace4d00e5", CORE),
    Pinned("pyodide/pyodide.asm.mjs", 1249447,
           "1a9775427ef6e8abaa7db88ece0515422d1886915ae5c9093776410c865dfd8d", CORE),
    Pinned("pyodide/pyodide.asm.wasm", 9596462,
           "e7f8fac36f8bf11085309cbc5c829b3ec3057c18bf1d73b05a6741612d63cdbf", CORE),
    Pinned("pyodide/python_stdlib.zip", 2545106,
           "444c770dfd75a32097fc0a7d5c1413fd3140601f49c3a1f2e9af0376fcd124b4", CORE),
    Pinned(f"pyodide/{NUMPY_WHEEL}", 2916023,
           "0cad9c1b91f0082e4f959bc0e0bf5835a2efbba6ab3b1e9d1fe6e7e564cca98e", WHEELS),
    Pinned("pyscript/core.js", 260,
           "e3c6992c6625630423d8e720ebba6cfe1d2ad7a9e4be7224a1e4a3c52edc8d07", SCRIPT),
    Pinned("pyscript/core-C9KDLldu.js", 136035,
           "6ebd3fd9f13faa7859f54bed5304c532da8a194fffbe14baf1986af1a1f17dd6", SCRIPT),
    Pinned("pyscript/deprecations-manager-UpAPKqCb.js", 432,
           "853a48e814afe7ad7fd93d8dfa20abe3992d7a91994f85eb97b806cd7d712c52", SCRIPT),
    Pinned("pyscript/donkey-4Hrqd7WZ.js", 2399,
           "bf4cb5d7e5dde003a79f7ece9f25dae17d9aaacab4e84bbb0a3cc9570a3dffa1", SCRIPT),
    Pinned("pyscript/error-D2315lOB.js", 734,
           "872d9b91b2b1ba283fc6d0d98af1e49dedebfa1a026c15265d712e5f84a599ee", SCRIPT),
    Pinned("pyscript/py-editor-C4XsZtn7.js", 7225,
           "4dc3047ff5fbf69690b04b4cf684eeaa982d869842a22314b8116fcb00a1ad89", SCRIPT),
    Pinned("pyscript/py-game-DWiCrr7a.js", 1627,
           "02c550364adf2a2dc6a5234653c7819f9707c73a8d6e3330df28f0d477410d53", SCRIPT),
    Pinned("pyscript/py-terminal-CwQ6kcjg.js", 755,
           "111421dd0a1f185eb5b0371b8f8216fcbd2415d9a4b335c5f3368d187b6fd716", SCRIPT),
    Pinned("licenses/PyScript.txt", 11411,
           "c68147368fdf136436187ce9bd0f938a85e4b4355315eb5c00a9a86fe48394a5", SCRIPT_TEXT,
           "LICENSE"),
    Pinned("licenses/MPL-2.0.txt", 15921,
           "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e", MPL, "LICENSE"),
    Pinned("licenses/Python.txt", 12775,
           "de4d1f2d2ad5ad0cfd1657a106476b31cb5db5ef9d1ff842b237c0c81f0c8a23", PSF, "LICENSE"),
    Pinned("licenses/MIT.txt", 1104,
           "c7a9d6ed63e07e55b0f34f941efc81cde954f5ffe755b69ca947b8bb94570eb1", MIT, "LICENSE"),
    Pinned("licenses/ISC.txt", 765,
           "719ae44c422cd11a700b486bb5e8857c128146549710249daaf9ddcfeed5a454", ISC, "LICENSE"),
)
# fmt: on
IN_PAGE = ("pyodide/", "pyscript/")  # of these, what goes into dist/runtime/

# What Pyodide asks of its lock file, for numpy alone; `info` must equal the core's own.
LOCK_FILE = {
    "info": {
        "abi_version": "2026_0",
        "arch": "wasm32",
        "platform": "emscripten_5_0_3",
        "python": "3.14.0",
    },
    "packages": {
        "numpy": {
            "name": "numpy",
            "version": NUMPY,
            "file_name": NUMPY_WHEEL,
            "sha256": next(file.sha256 for file in PINNED if file.name == NUMPY_WHEEL),
            "install_dir": "site",
            "package_type": "package",
            "imports": ["numpy"],
            "depends": [],
            "unvendored_tests": False,
        }
    },
}


class BuildError(Exception):
    """Something that the reader of one line on stderr can put right."""


# ---- The commands --------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument(
        "--runtime",
        metavar="DIR",
        type=Path,
        default=argparse.SUPPRESS,
        help="look here too for the runtime files: loose, in a tree, or in .tgz and .whl files",
    )
    common.add_argument(
        "--offline",
        action="store_true",
        default=argparse.SUPPRESS,
        help="use the cache and --runtime only",
    )
    common.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=argparse.SUPPRESS,
        help="the folder to make (default: dist)",
    )
    parser = argparse.ArgumentParser(
        prog="build.py",
        description="Build the site into dist/; or build and serve it; or run all tests.",
        parents=[common],
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="{serve,test}")
    serving = commands.add_parser(
        "serve", parents=[common], allow_abbrev=False, help="build, then serve on this machine only"
    )
    serving.add_argument("--port", type=int, metavar="N", help="default: 8000, or a free one")
    serving.add_argument("--no-open", action="store_true", help="do not open the browser")
    commands.add_parser(
        "test",
        parents=[common],
        allow_abbrev=False,
        help="run linters, type check and tests; other arguments go to pytest",
    )
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")

    out = Path(getattr(options, "out", ROOT / "dist")).resolve()
    runtime = getattr(options, "runtime", None)
    offline = getattr(options, "offline", False)
    try:
        if options.command == "test":
            return test(out, runtime, offline, rest)
        build(out, runtime, offline)
        if options.command == "serve":
            serve(out, options.port, open_browser=not options.no_open)
    except (BuildError, OSError) as error:
        reason = describe(error) if isinstance(error, OSError) else error
        print(f"build.py: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbuild.py: stopped", file=sys.stderr)
        return 130
    return 0


# ---- The site ------------------------------------------------------------------------------------


def build(out: Path, runtime: Path | None = None, offline: bool = False) -> None:
    """Make the site in `out`, or leave `out` as it was and raise BuildError."""
    try:
        pinned = pinned_files(runtime, offline)
        site = {**page(), **python_sources(), **weights(), **runtime_files(pinned)}
        site["pyscript.json"] = pyscript_config(site)
        site["licenses.txt"] = licenses(pinned)
        site[".nojekyll"] = b""  # Jekyll, on GitHub Pages from a branch, would drop __init__.py
        changed = write_site(site, out)
    except OSError as error:
        raise BuildError(describe(error)) from error
    megabytes = sum(map(len, site.values())) / 1e6
    state = "made" if changed else "up to date"
    say(f"{shown(out)}: {state}, {len(site)} files, {megabytes:.1f} MB")


def page() -> dict[str, bytes]:
    """Return the files of web/ that the page loads; what is for tools alone stays behind."""
    web = ROOT / "web"
    files = {
        path.relative_to(web).as_posix(): path.read_bytes()
        for path in source_files(web)
        if path.name != "tsconfig.json" and not path.name.endswith(".d.ts")
    }
    for needed in ("index.html", "pyscript.json", "worker.py"):
        if needed not in files:
            raise BuildError(f"web/{needed} is missing: restore it with git")
    return files


def python_sources() -> dict[str, bytes]:
    """Return the part of pynet that runs in the page, byte for byte and under its own names."""
    package = ROOT / "pynet"
    paths = [package / "__init__.py"]
    for folder in ("nn", "ink"):
        paths += [path for path in source_files(package / folder) if path.suffix == ".py"]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}


def pyscript_config(site: Mapping[str, bytes]) -> bytes:
    """Return web/pyscript.json with the table of files that PyScript puts before the worker."""
    try:
        config = json.loads(site["pyscript.json"])
        files = config.setdefault("files", {})
        for path in sorted(path for path in site if path.startswith("pynet/")):
            files[f"./{path}"] = f"./{path}"
    except (ValueError, AttributeError) as error:
        raise BuildError(f"web/pyscript.json: expected a JSON object, got {error}") from None
    return to_json(config)


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


def runtime_files(pinned: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return PyScript and Pyodide as the page loads them, with a lock file for numpy alone."""
    files = {f"runtime/{path}": data for path, data in pinned.items() if path.startswith(IN_PAGE)}
    return {**files, "runtime/pyodide/pyodide-lock.json": to_json(LOCK_FILE)}


def write_site(site: Mapping[str, bytes], out: Path) -> bool:
    """Make `out` hold exactly `site`, in one step; return whether anything had changed."""
    if out.exists() and not out.is_dir():
        raise BuildError(f"{shown(out)} is in the way: expected a folder, or nothing")
    if out.exists() and any(out.iterdir()) and not (out / "pyscript.json").is_file():
        raise BuildError(f"{shown(out)} holds files that build.py did not make: name another --out")
    old = {p.relative_to(out).as_posix(): p for p in out.rglob("*") if p.is_file()}
    if old.keys() == site.keys() and all(p.read_bytes() == site[name] for name, p in old.items()):
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".dist-", dir=out.parent) as scratch:
        new, previous = Path(scratch, "new"), Path(scratch, "previous")
        for name, data in site.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        try:
            if out.exists():
                out.rename(previous)
            new.rename(out)
        except BaseException:  # Ctrl-C too
            if previous.exists() and not out.exists():
                previous.rename(out)
            raise
    return True


# ---- The pinned files: cache, --runtime, CDN, npm, pip -------------------------------------------


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
    return {file.path: store.found[file] for file in PINNED}


class Store:
    """The pinned files found so far, and their cache; nothing enters it but the right bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: dict[Pinned, bytes] = {}
        for file in PINNED:
            with contextlib.suppress(OSError):  # not there yet, or unreadable: it is fetched anew
                data = self.path(file).read_bytes()
                if sha256(data) == file.sha256:
                    self.found[file] = data

    def path(self, file: Pinned) -> Path:
        """Return where a file is cached: by hash, so that versions live side by side."""
        return self.folder / f"{file.sha256[:16]}-{file.name}"

    def missing(self) -> list[Pinned]:
        """Return what is still to be found."""
        return [file for file in PINNED if file not in self.found]

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
    names = {file.name for file in PINNED}
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


def run_quietly(command: list[str], scratch: str, progress: Progress | None = None) -> str:
    """Run a downloader with its temporary files in `scratch`; return what went wrong, or ""."""
    environment = {**os.environ, "TMPDIR": scratch, "TMP": scratch, "TEMP": scratch}
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            return describe(error)
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if progress:
                    progress.reach(folder_size(Path(scratch)))
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode == 0:
            return ""
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()] or ["no message"]
        return next((line for line in said if "error" in line.lower()), said[-1])


# ---- Licences ------------------------------------------------------------------------------------

NOTICES = f"""\
This folder holds pynet's page and the software that it runs on, each file as it was published
(but pyodide-lock.json, reduced to numpy). Each part keeps its own licence. The texts that their
packages carry, and those that several parts share, follow in full; the rest is by address.

pynet                   MIT
PyScript core {PYSCRIPT}    Apache-2.0              https://github.com/pyscript/pyscript
  in its core.js, by Andrea Giammarchi          https://github.com/WebReflection
    polyscript          Apache-2.0 (the same text as PyScript's)
    coincident, reflected-ffi, next-resolver, html-escaper, weak-id, add-promise-listener,
    @webreflection/fetch, @webreflection/idb-map, @webreflection/utils                     MIT
    basic-devtools, codedent, plain-tag, sticky-module, to-json-callback,
    type-checked-collections                                                               ISC
Pyodide {PYODIDE}         MPL-2.0                 https://github.com/pyodide/pyodide
  (pyodide.mjs, pyodide.asm.mjs, pyodide.asm.wasm, and in python_stdlib.zip; the sources of exactly
  this version: https://github.com/pyodide/pyodide/tree/{PYODIDE})
  in pyodide.asm.wasm besides:
    CPython 3.14        PSF-2.0                 https://github.com/python/cpython
      with expat, libmpdec, HACL* and others    https://docs.python.org/3.14/license.html
    Emscripten          MIT                     https://github.com/emscripten-core/emscripten
    musl                MIT                     https://musl.libc.org
    compiler-rt         Apache-2.0 WITH LLVM-exception     https://compiler-rt.llvm.org
    libffi              MIT, Anthony Green, Red Hat, Inc. and others
                                                https://github.com/libffi/libffi
    zlib                zlib, Jean-loup Gailly and Mark Adler         https://zlib.net
    bzip2               bzip2-1.0.6, Julian Seward                    https://sourceware.org/bzip2
    liblzma             0BSD, the authors of XZ Utils                 https://tukaani.org/xz
    Zstandard           BSD-3-Clause, Meta Platforms, Inc. and affiliates
                                                https://github.com/facebook/zstd
    SQLite              public domain           https://sqlite.org/copyright.html
  python_stdlib.zip     PSF-2.0
numpy {NUMPY}             BSD-3-Clause, and what it bundles       https://github.com/numpy/numpy
"""


def licenses(pinned: Mapping[str, bytes]) -> bytes:
    """Return licenses.txt: what the site carries, whose it is, and the licences in full."""
    texts = [
        ("pynet: MIT License", (ROOT / "LICENSE").read_bytes()),
        ("PyScript and polyscript: Apache License 2.0", pinned["licenses/PyScript.txt"]),
        ("bundled in PyScript: MIT License", pinned["licenses/MIT.txt"]),
        ("bundled in PyScript: ISC License", pinned["licenses/ISC.txt"]),
        ("Pyodide: Mozilla Public License 2.0", pinned["licenses/MPL-2.0.txt"]),
        ("CPython: Python Software Foundation License", pinned["licenses/Python.txt"]),
    ]
    with zipfile.ZipFile(io.BytesIO(pinned[f"pyodide/{NUMPY_WHEEL}"])) as wheel:
        folder = f"numpy-{NUMPY}.dist-info/licenses/"
        for name in sorted(n for n in wheel.namelist() if n.startswith(folder)):
            if not name.endswith("/"):
                texts.append((f"numpy: {name.removeprefix(folder)}", wheel.read(name)))
    parts = [NOTICES]
    for title, text in texts:
        parts += ["=" * 80, title, "=" * 80, "", text.decode("utf-8").strip(), ""]
    return "\n".join(parts).replace("\r\n", "\n").encode("utf-8")


# ---- The server ----------------------------------------------------------------------------------


def serve(folder: Path, port: int | None, *, open_browser: bool) -> None:
    """Serve `folder` on loopback until Ctrl-C."""
    server = make_server(folder, port)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    say(f"serving {shown(folder)} at {url}  (Ctrl-C stops it)")
    # Without a display `webbrowser` may start one in this terminal.
    display = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if open_browser and display:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    say("\nstopped")


def make_server(folder: Path, port: int | None) -> http.server.ThreadingHTTPServer:
    """Return a server of `folder` on `port`; without one on 8000, or on a free one."""
    if port is not None and not 0 <= port <= 65535:
        raise BuildError(f"--port must be in 0..65535, got {port}")
    handler = functools.partial(Handler, directory=str(folder))
    for number in (8000, 0) if port is None else (port,):
        try:
            return Server(("127.0.0.1", number), handler)
        except OSError as error:
            problem = error
    raise BuildError(f"port {port}: {describe(problem)}; name another, or none for a free one")


class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; a browser that hangs up is no error."""

    # Elsewhere it lets a port in TIME_WAIT be used again; on Windows it would share one in use.
    allow_reuse_address = os.name != "nt"
    allow_reuse_port = False
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what a handler raised, but for a connection that was cut."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


TEXT = "text/{}; charset=utf-8"
MIME_TYPES = {
    **{".html": TEXT.format("html"), ".css": TEXT.format("css"), ".txt": TEXT.format("plain")},
    **{".js": TEXT.format("javascript"), ".mjs": TEXT.format("javascript")},
    **{".py": TEXT.format("x-python"), ".json": "application/json", ".wasm": "application/wasm"},
    **{".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json"},
    **{".zip": "application/zip", ".whl": "application/zip", ".npz": "application/octet-stream"},
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files with the types that modules and wasm need, never from a browser's cache."""

    protocol_version = "HTTP/1.1"  # keeps connections open
    timeout = 60  # seconds of silence until a kept connection is closed
    # Complete for what dist/ holds: the system's own table may call .js text/plain (Windows).
    extensions_map = MIME_TYPES

    def end_headers(self) -> None:
        """Add what every answer carries."""
        self.send_header("Cache-Control", "no-cache")  # a rebuilt page must not stay the old one
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def send_header(self, keyword: str, value: str) -> None:
        """Leave out the date: counted in seconds, it takes a file for the one before a rebuild."""
        if keyword != "Last-Modified":
            super().send_header(keyword, value)

    def list_directory(self, path: str) -> None:
        """Answer 404, as GitHub Pages does, where a folder has no index.html."""
        self.send_error(404, "Not found")

    def log_message(self, *arguments: object) -> None:
        """Stay quiet: the page reports its own failures."""


# ---- The tests -----------------------------------------------------------------------------------

VENV = ROOT / ".venv"
SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since Python 3.11.4
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test(out: Path, runtime: Path | None, offline: bool, pytest_arguments: list[str]) -> int:
    """Run linters, type check and the suite; return the exit code of the first that failed."""
    make_environment()
    chromium = find_chromium()
    say(f"Chromium: {chromium}")
    failed: dict[str, int] = {}

    def run(name: str, command: list[str], **variables: str) -> None:
        say(f"\n{name}")
        environment = {**os.environ, **variables}
        if code := subprocess.run(command, cwd=ROOT, env=environment).returncode:
            failed[name] = code

    run("ruff check", [str(VENV_PYTHON), "-m", "ruff", "check", "."])
    try:
        if tsc := type_checker(offline):
            run("tsc --noEmit", [*tsc, "--noEmit", "--project", str(ROOT / "web/tsconfig.json")])
    except BuildError as error:
        say(f"tsc --noEmit: {error}")
        failed["tsc --noEmit"] = 2
    try:
        build(out, runtime, offline)
    except BuildError as error:
        say(f"build: {error}")
        failed["build"] = 2
    variables = {"PYNET_CHROMIUM": chromium, "PYNET_CACHE": str(cache_folder())}
    if data := os.environ.get("PYNET_DATA"):
        variables["PYNET_DATA"] = str(Path(data).resolve())  # tests run in folders of their own
    run("pytest", [str(VENV_PYTHON), "-m", "pytest", *pytest_arguments], **variables)
    if failed:
        names = ", ".join(f"{name} (exit {code})" for name, code in failed.items())
        print(f"build.py test: failed: {names}", file=sys.stderr)
    return next(iter(failed.values()), 0)


def make_environment() -> None:
    """Make .venv with the test extra, unless it is whole and of this pyproject.toml."""
    stamp = VENV / "pynet-stamp"
    version = f"{sys.version} {VENV} ".encode()
    wanted = sha256(version + (ROOT / "pyproject.toml").read_bytes())
    probe = "import pynet, numpy, pytest, hypothesis, playwright, PIL, matplotlib"
    with contextlib.suppress(OSError):
        if stamp.read_text() == wanted and works([str(VENV_PYTHON), "-P", "-c", probe]):
            return
    say("making .venv with the test extra (a minute or two)")
    stamp.unlink(missing_ok=True)
    # Not sys.executable: that may be the very .venv that is cleared.
    command = [getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]
    if not works(command):
        # Debian keeps what venv needs in a package of its own.
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        problem = install_debian(package) or ("" if works(command) else "venv still fails")
        if problem:
            raise BuildError(f"{' '.join(command)} failed: install {package} ({problem})")
    install = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    if subprocess.run([*install, "--editable", ".[test]"], cwd=ROOT).returncode:
        raise BuildError("pip could not install the test extra: see its message above")
    stamp.write_text(wanted)


def find_chromium() -> str:
    """Return a Chromium that starts: Playwright's, the system's, or one that is installed now."""
    if found := next(filter(starts, chromium_paths()), None):
        return found
    say("installing Chromium: Playwright's own")
    works([str(VENV_PYTHON), "-m", "playwright", "install", "chromium"])
    if found := next(filter(starts, chromium_paths()), None):
        return found
    say("installing Chromium: Debian's package")
    problem = install_debian("chromium")
    if found := next(filter(starts, chromium_paths()), None):
        return found
    raise BuildError(
        f"no Chromium that starts ({problem or 'the package has none'}): install Chromium or Chrome"
        " and name it in PYNET_CHROMIUM"
    )


def chromium_paths() -> Iterator[str]:
    """Yield where a Chromium may be, the surest first."""
    for variable in ("PYNET_CHROMIUM", "CHROME_PATH"):
        if named := os.environ.get(variable):
            yield named
    ask = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([str(VENV_PYTHON), "-c", ask], capture_output=True, text=True)
    yield answer.stdout.strip()
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        yield shutil.which(name) or ""
    yield "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    yield "/Applications/Chromium.app/Contents/MacOS/Chromium"
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if folder := os.environ.get(variable):
            yield str(Path(folder, "Google/Chrome/Application/chrome.exe"))


def starts(path: str) -> bool:
    """Return whether `path` is a browser that runs; Ubuntu's chromium may be an empty shell."""
    if not path or not Path(path).is_file():
        return False
    return os.name == "nt" or works([path, "--version"])  # on Windows that would open a window


def install_debian(package: str) -> str:
    """Install a package where apt-get is there and may be used; return what went wrong, or ""."""
    apt = shutil.which("apt-get")
    if apt is None:
        return "no apt-get here"
    prefix = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None:
            return "apt-get needs root"
        prefix = [sudo] if sys.stdin.isatty() else [sudo, "-n"]  # -n: do not ask for a password
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", package]):
        done = subprocess.run(
            [*prefix, apt, *command], env=environment, stdout=subprocess.DEVNULL, text=True
        )
        if done.returncode:
            return f"apt-get {' '.join(command)} failed"
    return ""


def type_checker(offline: bool) -> list[str] | None:
    """Return the command of the pinned TypeScript, from the cache or npm; None without Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        return say("\ntsc --noEmit: not run, Node is not installed")
    folder = cache_folder() / f"typescript-{TYPESCRIPT}"
    if not folder.is_dir():
        if npm is None or offline:
            return say(f"\ntsc --noEmit: not run, no npm to fetch typescript@{TYPESCRIPT} with")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as scratch:
            spec = f"typescript@{TYPESCRIPT}"
            say(f"npm pack {spec}")
            if problem := run_quietly([npm, "pack", spec, "--silent"], scratch):
                raise BuildError(f"npm pack {spec}: {problem}")
            path = next(Path(scratch).glob("*.tgz"))
            if (got := sha256(path.read_bytes())) != TYPESCRIPT_SHA256:
                raise BuildError(f"{spec}: expected SHA-256 {TYPESCRIPT_SHA256}, got {got}")
            with tarfile.open(path) as archive:
                archive.extractall(scratch, **SAFELY)
            Path(scratch, "package").rename(folder)
    return [node, str(folder / "lib" / "tsc.js")]


def works(command: list[str]) -> bool:
    """Return whether a command succeeds within a quarter of an hour; its output is dropped."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, timeout=900
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


# ---- Small tools ---------------------------------------------------------------------------------


class Progress:
    """Bytes done of all: one line that changes on a terminal, a line for each quarter elsewhere."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self.live = sys.stdout.isatty()
        self.shown = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def advance(self, count: int) -> None:
        """Add `count` bytes."""
        self.reach(self.done + count)

    def reach(self, done: int) -> None:
        """Show that `done` bytes are here."""
        self.done = max(self.done, min(done, self.total))
        step = 1 if self.live else 25
        percent = 100 * self.done // self.total // step * step
        if percent > self.shown:
            self.shown = percent
            text = f"{self.title}: {self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB ({percent} %)"
            sys.stdout.write(f"\r{text}" if self.live else f"{text}\n")
            sys.stdout.flush()

    def close(self) -> None:
        """Leave the line, so that what follows starts its own."""
        if self.live and self.shown:
            say("")
            self.shown = 0


def say(text: str) -> None:
    """Tell what is being done; stdout stays in order with the output of what is started here."""
    print(text, flush=True)


def shown(path: Path) -> str:
    """Return a path as short as it can be understood."""
    with contextlib.suppress(ValueError):
        return path.relative_to(ROOT).as_posix()
    return str(path)


def one_line(error: object) -> str:
    """Return a message without its line breaks."""
    return " ".join(str(error).split())


def describe(error: OSError) -> str:
    """Return what the system said about which file."""
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or one_line(error)}"


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
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a path may hold what a console cannot show
    sys.exit(main(sys.argv[1:]))
