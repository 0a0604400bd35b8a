"""What the tests run in: .venv with the test extra, and a Chromium that starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from builder.console import ROOT, BuildError, say
from builder.files import sha256
from builder.processes import works

VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def make_environment() -> None:
    """Make .venv with the test extra, unless it is whole and of this pyproject.toml."""
    stamp = VENV / "pynet-stamp"
    version = f"{sys.version} {VENV} ".encode()
    wanted = sha256(version + (ROOT / "pyproject.toml").read_bytes())
    probe = "import pynet, numpy, pytest, hypothesis, playwright, PIL, matplotlib"
    with contextlib.suppress(OSError):
        if stamp.read_text() == wanted and works([str(VENV_PYTHON), "-P", "-c", probe]):
            return
    say("making .venv with the test extra (a minute or two)")
    stamp.unlink(missing_ok=True)
    # Not sys.executable: that may be the very .venv that is cleared.
    command = [getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)]
    if not works(command):
        # Debian keeps what venv needs in a package of its own.
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        problem = install_debian(package) or ("" if works(command) else "venv still fails")
        if problem:
            raise BuildError(f"{' '.join(command)} failed: install {package} ({problem})")
    install = [str(VENV_PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    if subprocess.run([*install, "--editable", ".[test]"], cwd=ROOT).returncode:
        raise BuildError("pip could not install the test extra: see its message above")
    stamp.write_text(wanted)


def find_chromium() -> str:
    """Return a Chromium that starts: Playwright's, the system's, or one that is installed now."""
    if found := next(filter(starts, chromium_paths()), None):
        return found
    say("installing Chromium: Playwright's own")
    works([str(VENV_PYTHON), "-m", "playwright", "install", "chromium"])
    if found := next(filter(starts, chromium_paths()), None):
        return found
    say("installing Chromium: Debian's package")
    problem = install_debian("chromium")
    if found := next(filter(starts, chromium_paths()), None):
        return found
    raise BuildError(
        f"no Chromium that starts ({problem or 'the package has none'}): install Chromium or Chrome"
        " and name it in PYNET_CHROMIUM"
    )


def chromium_paths() -> Iterator[str]:
    """Yield where a Chromium may be, the surest first."""
    for variable in ("PYNET_CHROMIUM", "CHROME_PATH"):
        if named := os.environ.get(variable):
            yield named
    ask = (
        "from playwright.sync_api import sync_playwright as start\n"
        "with start() as p: print(p.chromium.executable_path)"
    )
    with contextlib.suppress(OSError):  # to build the site, .venv is not needed
        answer = subprocess.run([str(VENV_PYTHON), "-c", ask], capture_output=True, text=True)
        yield answer.stdout.strip()
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        yield shutil.which(name) or ""
    yield "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
    yield "/Applications/Chromium.app/Contents/MacOS/Chromium"
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if folder := os.environ.get(variable):
            yield str(Path(folder, "Google/Chrome/Application/chrome.exe"))


def starts(path: str) -> bool:
    """Return whether `path` is a browser that runs; Ubuntu's chromium may be an empty shell."""
    if not path or not Path(path).is_file():
        return False
    return os.name == "nt" or works([path, "--version"])  # on Windows that would open a window


def install_debian(*packages: str) -> str:
    """Install packages where apt-get is there and may be used; return what went wrong, or ""."""
    apt = shutil.which("apt-get")
    if apt is None:
        return "no apt-get here"
    prefix = []
    if os.geteuid() != 0:
        sudo = shutil.which("sudo")
        if sudo is None:
            return "apt-get needs root"
        prefix = [sudo] if sys.stdin.isatty() else [sudo, "-n"]  # -n: do not ask for a password
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", *packages]):
        done = subprocess.run(
            [*prefix, apt, *command], env=environment, stdout=subprocess.DEVNULL, text=True
        )
        if done.returncode:
            return f"apt-get {' '.join(command)} failed"
    return ""
