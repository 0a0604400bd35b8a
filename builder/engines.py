"""Firefox and WebKit, in which the core of the browser tests runs too, where they are installed.

python -m builder.engines     installs both by apt-get (Debian)
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from builder.console import say
from builder.environment import install_debian

PACKAGES = {"Firefox": ["firefox-esr"], "WebKit": ["webkit2gtk-driver", "xvfb"]}


def find_firefox() -> str | None:
    """Return a Firefox that Playwright can drive: PYNET_FIREFOX, or Debian's."""
    return os.environ.get("PYNET_FIREFOX") or shutil.which("firefox-esr")


def find_webkit() -> tuple[str, str, str] | None:
    """Return WebKit's driver, its browser, and the screen to run it on."""
    browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    return (driver, str(browsers[-1]), screen) if driver and screen and browsers else None


FIND = {"Firefox": find_firefox, "WebKit": find_webkit}


def missing(engine: str) -> str:
    """Return why an engine cannot be tested, in one line, or nothing."""
    if FIND[engine]():
        return ""
    return f"{engine} is not installed: apt-get install {' '.join(PACKAGES[engine])}"


def all_missing() -> list[str]:
    """Return a line for each engine that cannot be tested."""
    return [reason for engine in PACKAGES if (reason := missing(engine))]


def install() -> int:
    """Install what is missing; return the exit code."""
    wanted = [package for engine in PACKAGES if missing(engine) for package in PACKAGES[engine]]
    problem = install_debian(*wanted) if wanted else ""
    if problem:
        say(f"{', '.join(wanted)}: not installed: {problem}")
    return 1 if all_missing() else 0


if __name__ == "__main__":
    sys.exit(install())
