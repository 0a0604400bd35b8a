"""What a visit fetches, in bytes, and how much that may be. The limits stand here and nowhere else.

Counted is what a host sends that compresses text, as GitHub Pages does, without headers.
"""

from __future__ import annotations

from collections.abc import Mapping

from builder.addresses import logical, pack
from builder.console import BuildError, say
from builder.offline import kept
from builder.visits import fetched_first, ordinary_only

FIRST = 10_500_000  # bytes until the first answer
ALL = 13_000_000  # bytes with what the service worker then fetches
SHOWN = 100_000  # bytes of a file that has a line of its own in the table


def on_the_wire(path: str, site: Mapping[str, bytes]) -> int:
    """Return how many bytes a host sends for a file of the site."""
    packed = path.endswith((".gz", ".png", ".npz"))  # hosts leave these as they are
    data = site.get(f"{path}.gz") or (site[path] if packed else pack(site[path]))
    return len(data)


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
    first, ordinary = fetched_first(files), ordinary_only(files)
    wire = {path: on_the_wire(path, site) for path in site if kept(path)}
    lines = ["    sent   in use  MB"]
    total = 0
    for label, limit, wanted in (
        ("until the first answer", FIRST, lambda name: name in first),
        ("with what is kept for offline use", ALL, lambda name: name not in first | ordinary),
    ):
        paths = [path for path in wire if wanted(logical(path))]
        large = sorted((p for p in paths if wire[p] >= SHOWN), key=wire.get, reverse=True)
        small = [path for path in paths if wire[path] < SHOWN]
        lines += [row(wire[path], used(path, files, site), logical(path)) for path in large]
        rest = sum(used(path, files, site) for path in small)
        lines.append(row(sum(map(wire.get, small)), rest, f"{len(small)} smaller files"))
        total += sum(map(wire.get, paths))
        lines.append(f"{total / 1e6:8.2f}           {label}; the budget is {limit / 1e6:.1f} MB")
        if total > limit and not problem:
            problem = f"{total} bytes {label}: over the budget of {limit} (builder/budget.py)"
    if more := sum(wire[path] for path in wire if logical(path) in ordinary):
        lines.append(f"{more / 1e6:8.2f}           more where a browser cannot use the snapshot")
    say("\n".join(lines))
    if problem:
        raise BuildError(problem)


def used(path: str, files: Mapping[str, bytes], site: Mapping[str, bytes]) -> int:
    """Return the bytes of a file as the page uses it."""
    return len(files.get(logical(path), site[path]))


def row(sent: int, in_use: int, name: str) -> str:
    """Return a line of the table."""
    return f"{sent / 1e6:8.2f} {in_use / 1e6:8.2f}  {name}"
