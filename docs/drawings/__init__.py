"""What the figures of the documents show, by kind; `docs/figures.py` runs them."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# `python docs/figures.py` must work in a clone where pynet is not installed.
sys.path.insert(0, str(ROOT))


class MissingInputError(Exception):
    """A figure needs a file that is not there; the message says which and how to make it."""
