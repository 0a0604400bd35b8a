"""Addresses: what each file of the site is called in dist/.

A name holds a hash of what the file holds, so whoever has it may keep it for ever, and two builds
never mix: a page asks for exactly the files that it was built with. What is asked for by a name
that cannot change keeps its own, and is asked for anew at each visit: index.html and what a browser
looks for by itself, and the sources of pynet/, which are there to be read.

Modules that import each other by name share one hash, in the name of their folder.

The large ones are stored gzip-compressed as `NAME.gz`, and web/app/downloads.js undoes it. So the
bytes on the wire are the same from every host: GitHub Pages compresses neither archives nor types
that it does not know, Python's http.server nothing at all. A host that sets Content-Encoding for
.gz undoes it itself; the page looks at the first byte and takes both. Modules stay plain, for a
browser imports no .gz.

What the first answer waits for is there plain as well, for hosts that compress on the way: there
the browser undoes it, beside the page's worker and not in it, and so it is kept on the device. The
plain ones are all called .wasm, whatever they hold: it is the one binary type that such hosts
compress.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from builder.files import sha256

PLAIN = ("index.html", "sw.js", "manifest.webmanifest", "licenses.txt", ".nojekyll", "pynet/")
FOLDERS = ("app/", "runtime/pyscript/", "runtime/pyodide/")
PACKED = (".zip", ".whl")  # stored as .gz alone
TWICE = (".wasm", ".so", ".bin")  # stored plain as .wasm, and as .wasm.gz
DIGITS = 10  # of the hash, in hex: 40 bits are far more than a few hundred files need
HASHED = re.compile(rf"-[0-9a-f]{{{DIGITS}}}(?=[./])")


def logical(address: str) -> str:
    """Return the name that a file had before it got its address."""
    name = HASHED.sub("", address).removesuffix(".gz")
    shorter = name.removesuffix(".wasm")
    return shorter if shorter.endswith(TWICE) else name


def twin(address: str) -> bool:
    """Return whether this is the packed one of a file that is stored twice."""
    return address.endswith(".wasm.gz")


def hashed(name: str, data: bytes) -> str:
    """Return `name` with the hash of `data` before its suffix, or before a folder's last slash."""
    stem, dot, suffix = name.removesuffix("/").rpartition("." if name[-1] != "/" else "/")
    digest = sha256(data)[:DIGITS]
    if name[-1] == "/":
        return f"{stem}{dot}{suffix}-{digest}/"
    return f"{stem}-{digest}{dot}{suffix}"


def versioned(path: str, data: bytes) -> str:
    """Return what a file that keeps its name is asked for as: with the hash as a query."""
    return f"{path}?{sha256(data)[:DIGITS]}"


def pack(data: bytes) -> bytes:
    """Return gzip bytes that are the same for the same data on every machine with this zlib."""
    return gzip.compress(data, compresslevel=9, mtime=0)


def stored(name: str, data: bytes) -> dict[str, bytes]:
    """Return a file as a host stores it: bytes by name, the one that it is asked for by first."""
    if name.endswith(TWICE):
        name = f"{name.removesuffix('.wasm')}.wasm"
        return {name: data, f"{name}.gz": pack(data)}
    return {f"{name}.gz": pack(data)} if name.endswith(PACKED) else {name: data}


def folder_of(name: str) -> str:
    """Return the folder whose modules share one hash if `name` is one of them, else nothing."""
    if not name.endswith((".js", ".mjs")):
        return ""
    return next((folder for folder in FOLDERS if name.startswith(folder)), "")


def addressed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the site as dist/ holds it: every file under its address, and who has to know told.

    The page gets the table app/assets.js; index.html and the manifest get the addresses in place of
    the names.
    """
    plain = {name: data for name, data in files.items() if name.startswith(PLAIN)}
    app = {name: data for name, data in files.items() if name.startswith("app/")}
    others = {name: data for name, data in files.items() if name not in plain | app}
    addresses, site = given(others)
    table = {
        name: {
            "address": address,
            "bytes": len(files[name]),
            "wire": len(site.get(f"{address}.gz", site[address])),
        }
        for name, address in sorted(addresses.items())
    }
    app["app/python.js"] = with_imports(app["app/python.js"], app)
    app["app/assets.js"] = f"export const ASSETS = {json.dumps(table, indent=1)};\n".encode()
    app_addresses, app_site = given(app)
    addresses |= app_addresses
    site |= app_site
    plain["index.html"] = with_preloads(plain["index.html"], app)
    for name in ("index.html", "manifest.webmanifest"):
        if name in plain:
            plain[name] = with_addresses(plain[name], addresses)
    return dict(sorted((site | plain).items()))


def given(files: Mapping[str, bytes]) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the address of each name, and the content of each address."""
    folders: dict[str, str] = {}
    for folder in FOLDERS:
        members = sorted(name for name in files if folder_of(name) == folder)
        listing = "\n".join(f"{name} {sha256(files[name])}" for name in members)
        folders[folder] = hashed(folder, listing.encode())
    names = []
    for name, data in files.items():
        if folder := folder_of(name):
            names.append(folders[folder] + name.removeprefix(folder))
        else:
            names.append(hashed(name, data))
    with ThreadPoolExecutor() as pool:  # zlib lets other threads run
        forms = list(pool.map(stored, names, files.values()))
    addresses = {name: next(iter(each)) for name, each in zip(files, forms, strict=True)}
    return addresses, {address: data for each in forms for address, data in each.items()}


def imported(script: str, app: Mapping[str, bytes]) -> list[str]:
    """Return the names of a script of the page and of all modules that it leads to, in order."""
    names = [script]
    for name in names:  # which grows
        text = app.get(name, b"").decode("utf-8")
        for found in re.findall(r'^(?:import|export)\b[^;]*?"\./([\w-]+\.js)"', text, re.MULTILINE):
            if f"app/{found}" not in names:
                names.append(f"app/{found}")
    return names


def with_preloads(page: bytes, app: Mapping[str, bytes]) -> bytes:
    """Return index.html with a preload link for each module that its script imports.

    So they come side by side, and not each after the one that names it. Python is not among them:
    that the visitor can draw comes first.
    """
    script = b'<script type="module" src="app/main.js">'
    names = imported("app/main.js", app)[1:]
    links = "".join(f'<link rel="modulepreload" href="{name}">\n' for name in names)
    return page.replace(script, links.encode() + script)


def with_imports(script: bytes, app: Mapping[str, bytes]) -> bytes:
    """Return the script of the page's worker with an import of each module that it leads to.

    As `with_preloads` does for the page; a worker has no links.
    """
    names = imported("app/python.js", app)[1:]
    lines = "".join(f'import "./{name.removeprefix("app/")}";\n' for name in names)
    return lines.encode() + script


def with_addresses(text: bytes, addresses: Mapping[str, str]) -> bytes:
    """Return HTML or JSON with each quoted name of a file replaced by its address."""

    def address(match: re.Match) -> str:
        return f'"{addresses.get(match[1], match[1])}"'

    return re.sub(r'"([\w./-]+)"', address, text.decode("utf-8")).encode("utf-8")
