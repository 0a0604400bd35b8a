"""Writing a site: all of it or nothing, and never over a folder that the build did not make."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from builder.console import BuildError, shown


def write_site(site: Mapping[str, bytes], out: Path) -> bool:
    """Make `out` hold exactly `site`, in one step; return whether anything had changed."""
    if out.exists() and not out.is_dir():
        raise BuildError(f"{shown(out)} is in the way: expected a folder, or nothing")
    if out.exists() and any(out.iterdir()) and not (out / "licenses.txt").is_file():
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
