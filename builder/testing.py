"""`build.py test`: linter, type check, the site, and the whole suite."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from builder.console import ROOT, BuildError, say
from builder.engines import all_missing
from builder.environment import VENV_PYTHON, find_chromium, make_environment
from builder.files import cache_folder, sha256
from builder.pinned import TYPESCRIPT, TYPESCRIPT_SHA256
from builder.processes import run_quietly
from builder.site import build

SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since Python 3.11.4


def test(out: Path, runtime: Path | None, offline: bool, pytest_arguments: list[str]) -> int:
    """Run linters, type check and the suite; return the exit code of the first that failed."""
    make_environment()
    chromium = find_chromium()
    say(f"Chromium: {chromium}")
    untested = all_missing()
    for reason in untested:
        say(reason)
    failed: dict[str, int] = {}

    def run(name: str, command: list[str], **variables: str) -> None:
        say(f"\n{name}")
        environment = {**os.environ, **variables}
        if code := subprocess.run(command, cwd=ROOT, env=environment).returncode:
            failed[name] = code

    run("ruff check", [str(VENV_PYTHON), "-m", "ruff", "check", "."])
    try:
        if tsc := type_checker(offline):
            run("tsc --noEmit", [*tsc, "--noEmit", "--project", str(ROOT / "web/tsconfig.json")])
    except BuildError as error:
        say(f"tsc --noEmit: {error}")
        failed["tsc --noEmit"] = 2
    try:
        build(out, runtime, offline)
    except BuildError as error:
        say(f"build: {error}")
        failed["build"] = 2
    variables = {"PYNET_CHROMIUM": chromium, "PYNET_CACHE": str(cache_folder())}
    if data := os.environ.get("PYNET_DATA"):
        variables["PYNET_DATA"] = str(Path(data).resolve())  # tests run in folders of their own
    run("pytest", [str(VENV_PYTHON), "-m", "pytest", *pytest_arguments], **variables)
    for reason in untested:
        say(f"build.py test: NOT TESTED: {reason} (or python -m builder.engines)")
    if failed:
        names = ", ".join(f"{name} (exit {code})" for name, code in failed.items())
        print(f"build.py test: failed: {names}", file=sys.stderr)
    return next(iter(failed.values()), 0)


def type_checker(offline: bool) -> list[str] | None:
    """Return the command of the pinned TypeScript, from the cache or npm; None without Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        return say("\ntsc --noEmit: not run, Node is not installed")
    folder = cache_folder() / f"typescript-{TYPESCRIPT}"
    if not folder.is_dir():
        if npm is None or offline:
            return say(f"\ntsc --noEmit: not run, no npm to fetch typescript@{TYPESCRIPT} with")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".part-", dir=folder.parent) as scratch:
            spec = f"typescript@{TYPESCRIPT}"
            say(f"npm pack {spec}")
            if problem := run_quietly([npm, "pack", spec, "--silent"], scratch):
                raise BuildError(f"npm pack {spec}: {problem}")
            path = next(Path(scratch).glob("*.tgz"))
            if (got := sha256(path.read_bytes())) != TYPESCRIPT_SHA256:
                raise BuildError(f"{spec}: expected SHA-256 {TYPESCRIPT_SHA256}, got {got}")
            with tarfile.open(path) as archive:
                archive.extractall(scratch, **SAFELY)
            Path(scratch, "package").rename(folder)
    return [node, str(folder / "lib" / "tsc.js")]
