"""What Python does when its memory has come out of a snapshot. Only a snapshot has this module."""

import builtins
import importlib
import random

import answers
import later
from _pyodide import _base

import __main__

# What finalizeBootstrap in pyodide.asm.mjs has Python evaluate at each start, and the values, which
# are in memory. To read even so short a source takes Python's parser and compiler, which the
# browser would have to compile first.
KNOWN = {
    "{}": dict,
    "import importlib; importlib": lambda: importlib,
    "import __main__; __main__.__dict__": lambda: __main__.__dict__,
    "import builtins; builtins.__dict__": lambda: builtins.__dict__,
}
eval_code = _base.eval_code


def eval_known(source, *arguments, **options):
    """Evaluate a source; at once where its value is known."""
    value = KNOWN.get(source)
    return value() if value else eval_code(source, *arguments, **options)


def install():
    """Have the next start evaluate the quick way."""
    _base.eval_code = eval_known


def wake():
    """End that start: from now on this is a Python like any other."""
    _base.eval_code = eval_code
    random.seed()  # two visits must not share their random numbers
    later.STDLIB.unlink(missing_ok=True)  # the start has put an empty file there
    answers.wake()
