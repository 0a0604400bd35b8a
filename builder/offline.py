"""The list of files that the service worker keeps for offline use."""

from __future__ import annotations

import json
from collections.abc import Mapping

from builder.addresses import versioned
from builder.files import sha256


def service_worker(site: Mapping[str, bytes]) -> bytes:
    """Return web/sw.js with the list of the whole site in front of it.

    Parameters
    ----------
    site : mapping of str to bytes
        All files of dist/ by path, complete but for this one. Those whose name begins with a dot
        are for the host alone, and many hosts hand out none.

    Returns
    -------
    bytes
        ``const BUILD = {"name": ..., "files": {path: SHA-256}};``, then the text of sw.js. The name
        is the hash of the list and of sw.js, so that two builds never share a cache.
    """
    source = site["sw.js"]
    files = {
        versioned(path, data) if path.startswith("pynet/") else path: sha256(data)
        for path, data in sorted(site.items())
        if path != "sw.js" and not any(part.startswith(".") for part in path.split("/"))
    }
    name = sha256(source + json.dumps(files).encode())[:16]
    table = json.dumps({"name": name, "files": files}, indent=2)
    return f"const BUILD = {table};\n\n".encode() + source
