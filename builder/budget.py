"""What a visit fetches, in bytes, and how much that may be. The limits stand here and nowhere else.

Counted is what a host sends that compresses text, as GitHub Pages does, without headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from builder.addresses import logical, pack
from builder.console import BuildError, say
from builder.offline import kept

FIRST = 10_500_000  # bytes until the first answer
ALL = 13_000_000  # bytes with what the service worker then fetches
SHOWN = 100_000  # bytes of a file that has a line of its own in the table

SNAPSHOT = "runtime/snapshot.bin"
# What a snapshot of Python's memory holds already; all else is fetched for later imports alone.
IN_SNAPSHOT = ("pynet/", "answers.py", "runtime/pyodide/python_stdlib.zip")
IN_SNAPSHOT += ("runtime/pyodide/numpy-", "runtime/pyodide/pyodide-lock.json")


def fetched_first(files: Mapping[str, bytes]) -> set[str]:
    """Return the names, of all files by name, that the page fetches until its first answer."""
    default = f"weights/{json.loads(files['weights/index.json'])[0]['file']}"
    first = {name for name in files if not name.startswith(("weights/", "icons/", "licenses.txt"))}
    first |= {"weights/index.json"} - {".nojekyll", "sw.js"}
    if SNAPSHOT in files:
        return {name for name in first if not name.startswith(IN_SNAPSHOT)}
    return {name for name in first | {default} if not name.startswith("runtime/libraries/")}


def on_the_wire(path: str, data: bytes) -> int:
    """Return how many bytes a host sends for a file of the site."""
    packed = path.endswith((".gz", ".png", ".npz"))  # hosts leave these as they are
    return len(data) if packed else len(pack(data))


def check_budget(files: Mapping[str, bytes], site: Mapping[str, bytes]) -> None:
    """Print the table of bytes of a site, and refuse a site that is over the budget.

    Parameters
    ----------
    files : mapping of str to bytes
        All files by the names that they had before they were given addresses.
    site : mapping of str to bytes
        The same as dist/ holds them.

    Raises
    ------
    BuildError
        When a visit would fetch more than it may.
    """
    problem = ""
    first = fetched_first(files)
    wire = {path: on_the_wire(path, data) for path, data in site.items() if kept(path)}
    groups = {True: [], False: []}
    for path in wire:
        groups[logical(path) in first].append(path)
    lines = ["    sent   in use  MB"]
    total = 0
    for is_first, label, limit in (
        (True, "until the first answer", FIRST),
        (False, "with what is kept for use without a network", ALL),
    ):
        paths = sorted(groups[is_first], key=wire.get, reverse=True)
        large = [path for path in paths if wire[path] >= SHOWN]
        small = [path for path in paths if wire[path] < SHOWN]
        lines += [row(wire[path], used(path, files, site), logical(path)) for path in large]
        rest = sum(used(path, files, site) for path in small)
        lines.append(row(sum(map(wire.get, small)), rest, f"{len(small)} smaller files"))
        total += sum(map(wire.get, paths))
        lines.append(f"{total / 1e6:8.2f}           {label}; the budget is {limit / 1e6:.1f} MB")
        if total > limit and not problem:
            problem = f"{total} bytes {label}: over the budget of {limit} (builder/budget.py)"
    say("\n".join(lines))
    if problem:
        raise BuildError(problem)


def used(path: str, files: Mapping[str, bytes], site: Mapping[str, bytes]) -> int:
    """Return the bytes of a file as the page uses it."""
    return len(files.get(logical(path), site[path]))


def row(sent: int, in_use: int, name: str) -> str:
    """Return a line of the table."""
    return f"{sent / 1e6:8.2f} {in_use / 1e6:8.2f}  {name}"
