#!/usr/bin/env python3
"""Build, serve and test the site of pynet, with the standard library of any Python 3.11+.

    python build.py                                  make dist/, complete and self-contained
    python build.py serve [--port N] [--no-open]     make it, then serve it on this machine
    python build.py zip                              make it, and one file of it for a classroom
    python build.py test [PYTEST ARGUMENT ...]       linters, type check and the whole suite

This is the command line; the work is done in builder/, whose __init__.py says where.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 (whoever has an older one is to read this)
    sys.exit(f"build.py: Python 3.11 or later is needed, this is {sys.version.split()[0]}")

sys.path.insert(0, str(Path(__file__).resolve().parent))  # python -I and -P leave it out

from builder.archive import write_archive
from builder.console import ROOT, BuildError, describe
from builder.server import make_server, serve
from builder.site import build
from builder.testing import test

__all__ = ["build", "main", "make_server"]  # what tests and docs/ import


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    common.add_argument(
        "--runtime",
        metavar="DIR",
        type=Path,
        default=argparse.SUPPRESS,
        help="look here too for the runtime files: loose, in a tree, or in .tgz and .whl files",
    )
    common.add_argument(
        "--offline",
        action="store_true",
        default=argparse.SUPPRESS,
        help="use the cache and --runtime only",
    )
    common.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=argparse.SUPPRESS,
        help="the folder to make (default: dist)",
    )
    parser = argparse.ArgumentParser(
        prog="build.py",
        description="Build the site into dist/; and serve it, or zip it; or run all tests.",
        parents=[common],
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="{serve,zip,test}")
    serving = commands.add_parser(
        "serve", parents=[common], allow_abbrev=False, help="build, then serve on this machine only"
    )
    serving.add_argument("--port", type=int, metavar="N", help="default: 8000, or a free one")
    serving.add_argument("--no-open", action="store_true", help="do not open the browser")
    commands.add_parser(
        "zip",
        parents=[common],
        allow_abbrev=False,
        help="build, then put the site into one file that needs no internet",
    )
    commands.add_parser(
        "test",
        parents=[common],
        allow_abbrev=False,
        help="run linters, type check and tests; other arguments go to pytest",
    )
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "test":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")

    out = Path(getattr(options, "out", ROOT / "dist")).resolve()
    runtime = getattr(options, "runtime", None)
    offline = getattr(options, "offline", False)
    try:
        if options.command == "test":
            return test(out, runtime, offline, rest)
        build(out, runtime, offline)
        if options.command == "zip":
            write_archive(out)
        if options.command == "serve":
            serve(out, options.port, open_browser=not options.no_open)
    except (BuildError, OSError) as error:
        reason = describe(error) if isinstance(error, OSError) else error
        print(f"build.py: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbuild.py: stopped", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # a path may hold what a console cannot show
    sys.exit(main(sys.argv[1:]))
