"""licenses.txt: whose work the site carries, under which licences, with their texts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from builder.console import ROOT
from builder.pinned import NUMPY, NUMPY_WHEEL, PYODIDE, PYSCRIPT

NOTICES = f"""\
This folder holds pynet's page and the software that it runs on. Each part keeps its own licence.
The texts that their packages carry, and those that several parts share, follow in full; the rest is
by address.

Each file is as it was published, or packed with gzip, which the page undoes. But pyodide-lock.json
names numpy alone; and of python_stdlib.zip and numpy's wheel only those modules are here, each as
it was published, that the page can reach.

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
