"""What a visit fetches: until its first answer, later to be kept for offline use, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping

SNAPSHOT = "runtime/snapshot.bin"

# The snapshot of Python's memory holds all of this; what starts Python without it asks for it.
IN_SNAPSHOT = ("pynet/", "answers.py", "pyscript.json", "runtime/pyodide/python_stdlib.zip")
LATER = "runtime/later/"  # what joins Python after the first answer
IN_SNAPSHOT += ("runtime/pyodide/numpy-", "runtime/pyodide/pyodide-lock.json")

# For the host, for readers, for the browser when the page is installed, and the service worker.
NEVER = (".", "licenses.txt", "sw.js", "icons/", "manifest.webmanifest")


def ordinary_only(files: Mapping[str, bytes]) -> set[str]:
    """Return the names of files that only the ordinary start of Python asks for.

    `files` are those of the site by the names that they had before they were given addresses. They
    are empty for a site without a snapshot.
    """
    if SNAPSHOT not in files:
        return set()
    return {name for name in files if name.startswith(IN_SNAPSHOT)} | {default_network(files)}


def fetched_first(files: Mapping[str, bytes]) -> set[str]:
    """Return the names of the files that the page asks for until its first answer.

    PyScript counts as well, though from a snapshot it comes just after that.
    """
    others = {name for name in files if name.startswith("weights/") and name.endswith(".npz")}
    names = {name for name in files if not name.startswith((*NEVER, LATER))} - others
    return (names | {default_network(files)}) - ordinary_only(files)


def default_network(files: Mapping[str, bytes]) -> str:
    """Return the name of the weights file that the page shows first."""
    return f"weights/{json.loads(files['weights/index.json'])[0]['file']}"
