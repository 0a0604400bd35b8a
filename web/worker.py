"""The Python side of the page, run by PyScript in a worker: turns messages into calls of `answers`.

What comes from JavaScript becomes bytes and arrays, what goes back a JavaScript object; an error
becomes one line.
"""

import answers
from js import Object
from pyodide.ffi import to_js

__export__ = ["load_network", "classify"]


def answer(function):
    """Return what `function` returns as a JavaScript object, or its error as {error: one line}."""

    def wrapper(*values):
        try:
            result = function(*values) or {}
        except Exception as error:
            text = " ".join(str(error).split())
            known = isinstance(error, (ValueError, OSError))
            result = {"error": text if known else f"{type(error).__name__}: {text}"}
        return to_js(result, dict_converter=Object.fromEntries)

    return wrapper


@answer
def load_network(name, file, data):
    """Read a network from a Uint8Array with a weights file and keep it under `name`."""
    answers.load_network(name, file, data.to_bytes())


@answer
def classify(name, points, lengths):
    """Classify strokes, given as a Float64Array and an Int32Array: see `answers.classify`."""
    return answers.classify(name, points.to_py(), lengths.to_py())


answers.wake()
