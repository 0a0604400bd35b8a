"""The list of files that the service worker keeps for offline use."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

from builder.addresses import versioned
from builder.files import sha256


def service_worker(site: Mapping[str, bytes]) -> bytes:
    """Return web/sw.js with the list of the whole site in front of it.

    Parameters
    ----------
    site : mapping of str to bytes
        All files of dist/ by path, complete but for this one.

    Returns
    -------
    bytes
        ``const BUILD = {"name": ..., "files": {address: SHA-256}};``, then the text of sw.js. The
        name is the hash of the list and of sw.js, so that two builds never share a cache.
    """
    source = site["sw.js"]
    files = dict(entry(path, data) for path, data in sorted(site.items()) if kept(path))
    name = sha256(source + json.dumps(files).encode())[:16]
    table = json.dumps({"name": name, "files": files}, indent=1)
    return f"const BUILD = {table};\n\n".encode() + source


def kept(path: str) -> bool:
    """Return whether a file is for the page; many hosts hand out none that begins with a dot."""
    return path != "sw.js" and not path.startswith(".")


def entry(path: str, data: bytes) -> tuple[str, str]:
    """Return the address at which the page asks for a file, and the hash of what it holds.

    A packed file has the hash of its content: a host may unpack it on the way (Content-Encoding).
    """
    content = gzip.decompress(data) if path.endswith(".gz") else data
    return versioned(path, data) if path.startswith("pynet/") else path, sha256(content)
