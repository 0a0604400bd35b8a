"""What is said to whoever runs the build, and the error that ends it with one line."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class BuildError(Exception):
    """Something that the reader of one line on stderr can put right."""


class Progress:
    """Bytes done of all: one line that changes on a terminal, a line for each quarter elsewhere."""

    def __init__(self, title: str, total: int) -> None:
        self.title, self.total, self.done = title, total, 0
        self.live = sys.stdout.isatty()
        self.shown = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def advance(self, count: int) -> None:
        """Add `count` bytes."""
        self.reach(self.done + count)

    def reach(self, done: int) -> None:
        """Show that `done` bytes are here."""
        self.done = max(self.done, min(done, self.total))
        percent = 100 * self.done // self.total
        step = 1 if self.live else 25
        if percent // step > self.shown:
            self.shown = percent // step
            text = f"{self.title}: {self.done / 1e6:.1f} of {self.total / 1e6:.1f} MB ({percent} %)"
            sys.stdout.write(f"\r{text}" if self.live else f"{text}\n")
            sys.stdout.flush()

    def close(self) -> None:
        """Leave the line, so that what follows starts its own."""
        if self.live and self.shown:
            say("")
            self.shown = 0


def say(text: str) -> None:
    """Tell what is being done; stdout stays in order with the output of what is started here."""
    print(text, flush=True)


def shown(path: Path) -> str:
    """Return a path as short as it can be understood."""
    with contextlib.suppress(ValueError):
        return path.relative_to(ROOT).as_posix()
    return str(path)


def one_line(error: object) -> str:
    """Return a message without its line breaks."""
    return " ".join(str(error).split())


def describe(error: OSError) -> str:
    """Return what the system said about which file."""
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or one_line(error)}"
