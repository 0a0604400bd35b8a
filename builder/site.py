"""What dist/ holds: the page, the Python that it runs, the networks, PyScript and Pyodide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from builder.addresses import addressed, versioned
from builder.console import ROOT, BuildError, describe, say, shown
from builder.fetch import pinned_files
from builder.files import source_files, to_json
from builder.licences import licenses
from builder.networks import weights
from builder.offline import service_worker
from builder.pinned import IN_PAGE, LOCK_FILE
from builder.write import write_site


def build(out: Path, runtime: Path | None = None, offline: bool = False) -> None:
    """Make the site in `out`, or leave `out` as it was and raise BuildError."""
    try:
        pinned = pinned_files(runtime, offline)
        files = {**page(), **python_sources(), **weights(), **runtime_files(pinned)}
        files["pyscript.json"] = pyscript_config(files)
        files["licenses.txt"] = licenses(pinned)
        files[".nojekyll"] = b""  # Jekyll, on GitHub Pages from a branch, would drop __init__.py
        site = addressed(files)
        site["sw.js"] = service_worker(site)  # the last one: it lists all others
        changed = write_site(site, out)
    except OSError as error:
        raise BuildError(describe(error)) from error
    megabytes = sum(map(len, site.values())) / 1e6
    state = "made" if changed else "up to date"
    say(f"{shown(out)}: {state}, {len(site)} files, {megabytes:.1f} MB")


def page() -> dict[str, bytes]:
    """Return the files of web/ that the page loads; what is for tools alone stays behind."""
    web = ROOT / "web"
    files = {
        path.relative_to(web).as_posix(): path.read_bytes()
        for path in source_files(web)
        if path.name != "tsconfig.json" and not path.name.endswith(".d.ts")
    }
    for needed in ("index.html", "pyscript.json", "worker.py", "sw.js"):
        if needed not in files:
            raise BuildError(f"web/{needed} is missing: restore it with git")
    return files


def python_sources() -> dict[str, bytes]:
    """Return the part of pynet that runs in the page, byte for byte and under its own names."""
    package = ROOT / "pynet"
    paths = [package / "__init__.py"]
    for folder in ("nn", "ink"):
        paths += [path for path in source_files(package / folder) if path.suffix == ".py"]
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths}


def pyscript_config(site: Mapping[str, bytes]) -> bytes:
    """Return web/pyscript.json with the table of files that PyScript puts before the worker."""
    try:
        config = json.loads(site["pyscript.json"])
        files = config.setdefault("files", {})
        for path in sorted(path for path in site if path.startswith("pynet/")):
            # The query tells the service worker, and any cache, which build it belongs to.
            files[f"./{versioned(path, site[path])}"] = f"./{path}"
    except (ValueError, AttributeError) as error:
        raise BuildError(f"web/pyscript.json: expected a JSON object, got {error}") from None
    return to_json(config)


def runtime_files(pinned: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return PyScript and Pyodide as the page loads them, with a lock file for numpy alone."""
    files = {f"runtime/{path}": data for path, data in pinned.items() if path.startswith(IN_PAGE)}
    return {**files, "runtime/pyodide/pyodide-lock.json": to_json(LOCK_FILE)}
