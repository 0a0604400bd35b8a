"""The list of files that the service worker keeps for offline use."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Mapping

from builder.addresses import logical, twin, versioned
from builder.files import sha256


def service_worker(site: Mapping[str, bytes], ordinary: Collection[str] = ()) -> bytes:
    """Return web/sw.js with the lists of the whole site in front of it.

    Parameters
    ----------
    site : mapping of str to bytes
        All files of dist/ by path, complete but for this one.
    ordinary : collection of str
        Names of files that only a start of Python without its snapshot asks for. The
        first visit keeps them where they were needed, a later one everywhere.

    Returns
    -------
    bytes
        ``const BUILD = {"name": ..., "files": {address: SHA-256}, "ordinary": {the same}};``, then
        the text of sw.js. The name is the hash of the lists and of sw.js, so that two builds never
        share a cache.
    """
    source = site["sw.js"]
    lists: dict[str, dict[str, str]] = {"files": {}, "ordinary": {}}
    for path, data in sorted(site.items()):
        if kept(path):
            which = "ordinary" if logical(path) in ordinary else "files"
            lists[which].update([entry(path, data)])
    name = sha256(source + json.dumps(lists).encode())[:16]
    table = json.dumps({"name": name, **lists}, indent=1)
    return f"const BUILD = {table};\n\n".encode() + source


def kept(path: str) -> bool:
    """Return whether a file is kept; many hosts hand out none that begins with a dot."""
    return path != "sw.js" and not path.startswith(".") and not twin(path)


def entry(path: str, data: bytes) -> tuple[str, str]:
    """Return the address at which the page asks for a file, and the hash of what it holds.

    A packed file has the hash of its content: a host may unpack it on the way (Content-Encoding).
    """
    content = gzip.decompress(data) if path.endswith(".gz") else data
    return versioned(path, data) if path.startswith("pynet/") else path, sha256(content)
