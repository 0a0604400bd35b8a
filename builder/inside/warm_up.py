"""Runs inside Pyodide while the snapshot is made: fills Python with what a visit needs, and tidies.

What is in memory at the end of this is what every visitor starts with.
"""

import functools
import gc
import importlib
import json
import linecache
import pkgutil
import re
import sys
from pathlib import Path

import answers
import later
import numpy as np
import restored
import worker  # noqa: F401 (the page calls it at once)

import pynet.ink
import pynet.nn
from pynet.nn import memory, weights

ROUNDS = 10  # calls until CPython's specialising interpreter (PEP 659) has seen each loop's types


def import_all(package):
    """Import every module of a package, so that none is looked for on a disk that has none."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


def load_default_network():
    """Use the network that the page shows first as a visitor will; leave it asleep; its name."""
    entry = json.loads(Path("weights/index.json").read_text())[0]
    file = f"weights/{entry['file']}"
    data = Path(file).read_bytes()
    answers.load_network(entry["name"], file, data)
    angle = np.linspace(0, 6, 40)
    ring = np.stack([0.5 + 0.2 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)], axis=1)
    for count in range(ROUNDS):
        points = np.concatenate([ring, ring[:count] / 2])
        lengths = np.array([len(ring), count][: 1 + bool(count)], np.int32)
        answers.classify(entry["name"], points[: lengths.sum()].ravel(), lengths)
    _, certainty = answers.networks[entry["name"]]
    for _ in range(ROUNDS):
        answers.asleep[entry["name"]] = weights.loads(data, name=file)[0], certainty
        answers.wake()
    answers.networks.clear()
    answers.asleep[entry["name"]] = weights.loads(data, name=file)[0], certainty
    return entry["name"]


def tidy():
    """Drop what Python would only look up faster with: caches, and garbage that waits in cycles."""
    memory._kept.__dict__.clear()  # scratch arrays come back with the first call
    sys.path.remove("")  # Pyodide puts it there once more when it restores
    sys._clear_internal_caches()
    sys._clear_type_cache()
    importlib.invalidate_caches()
    re.purge()
    linecache.clearcache()
    for thing in gc.get_objects():
        if isinstance(thing, functools._lru_cache_wrapper):
            thing.cache_clear()
    while gc.collect():
        pass


import_all(pynet.nn)
import_all(pynet.ink)
later.install()
restored.install()
default = load_default_network()
tidy()
