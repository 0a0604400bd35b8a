"""Every file that is fetched: version, size, hash and where it is published.

To upgrade, change a version here and build; each file that has changed is named with the hash that
came, to be compared with the publisher's and copied here. numpy's wheel is the one that
pyodide-lock.json of that Pyodide names. Then run the tests, which boot the page from these files.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

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


def lock_file(numpy_sha256: str) -> dict:
    """Return what Pyodide asks of its lock file, for numpy alone.

    `info` must equal the core's own.
    """
    numpy = {
        "name": "numpy",
        "version": NUMPY,
        "file_name": NUMPY_WHEEL,
        "sha256": numpy_sha256,
        "install_dir": "site",
        "package_type": "package",
        "imports": ["numpy"],
        "depends": [],
        "unvendored_tests": False,
    }
    info = {
        "abi_version": "2026_0",
        "arch": "wasm32",
        "platform": "emscripten_5_0_3",
        "python": "3.14.0",
    }
    return {"info": info, "packages": {"numpy": numpy}}
