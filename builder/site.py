"""What dist/ holds: the page, the Python that it runs, the networks, PyScript and Pyodide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from builder.addresses import addressed, hashed, versioned
from builder.budget import check_budget
from builder.console import ROOT, BuildError, describe, say, shown
from builder.core import slim_core
from builder.fetch import pinned_files
from builder.files import sha256, source_files, to_json
from builder.licences import licenses
from builder.networks import weights
from builder.offline import service_worker
from builder.pinned import IN_PAGE, NUMPY_WHEEL, lock_file
from builder.slim import embedded, read_zip, slim
from builder.snapshot import snapshot
from builder.visits import ordinary_only
from builder.write import write_site


def build(out: Path, runtime: Path | None = None, offline: bool = False) -> None:
    """Make the site in `out`, or leave `out` as it was and raise BuildError."""
    try:
        pinned = pinned_files(runtime, offline)
        say(f"{shown(out)}: building")  # takes some seconds
        files = {**page(), **python_sources(), **weights()}
        files |= runtime_files(pinned, files)
        files |= snapshot(files)
        files["pyscript.json"] = pyscript_config(files)
        files["licenses.txt"] = licenses(pinned)
        files[".nojekyll"] = b""  # Jekyll, on GitHub Pages from a branch, would drop __init__.py
        site = addressed(files)
        site["sw.js"] = service_worker(
            site, ordinary_only(files)
        )  # the last one: it lists all others
        check_budget(files, site)
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
        for path, data in sorted(site.items()):
            if path.startswith("pynet/"):
                # The query tells the service worker, and any cache, which build it belongs to.
                files[f"./{versioned(path, data)}"] = f"./{path}"
            elif path.endswith(".py") and path != "worker.py":
                files[f"./{hashed(path, data)}"] = f"./{path}"
    except (ValueError, AttributeError) as error:
        raise BuildError(f"web/pyscript.json: expected a JSON object, got {error}") from None
    return to_json(config)


def python_in_page(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the Python sources of the page, and those that the build runs in the page's Python."""
    inside = ROOT / "builder" / "inside"
    texts = {path.name: path.read_bytes() for path in source_files(inside) if path.suffix == ".py"}
    return texts | {name: data for name, data in files.items() if name.endswith(".py")}


def runtime_files(pinned: Mapping[str, bytes], page: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return PyScript and Pyodide as the page loads them: as published, but what can be reached.

    `page` are the files that the site has of its own. The lock file names numpy alone.
    """
    stdlib, wheel = "pyodide/python_stdlib.zip", f"pyodide/{NUMPY_WHEEL}"
    core, script = "pyodide/pyodide.asm.wasm", "pyodide/pyodide.asm.mjs"
    files = {path: data for path, data in pinned.items() if path.startswith(IN_PAGE)}
    scripts = [data for path, data in files.items() if path.startswith("pyscript/core-")]
    sources = {**python_in_page(page), "pyscript.py": embedded(b"\n".join(scripts))}
    files[stdlib], files[wheel] = slim(files[stdlib], files[wheel], files[core], sources)
    libraries = [data for path, data in read_zip(files[wheel]).items() if path.endswith(".so")]
    users = scripts + [data for path, data in page.items() if path.startswith("app/")]
    users += [files["pyodide/pyodide.mjs"], (ROOT / "builder" / "maker.mjs").read_bytes()]
    files[core], text = slim_core(
        files[core], files[script].decode("utf-8"), b"\n".join(users).decode("utf-8"), libraries
    )
    files[script] = text.encode("utf-8")
    files["pyodide/pyodide-lock.json"] = to_json(lock_file(sha256(files[wheel])))
    return {f"runtime/{path}": data for path, data in files.items()}
