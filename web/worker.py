"""The Python side of the page, run by PyScript in a worker: loads networks, classifies strokes.

It turns messages into calls of `pynet` and errors into one line each; what a drawing means is
decided in `pynet.ink` and `pynet.nn`, which the command lines use as well.
"""

import time

import numpy as np
from js import Object
from pyodide.ffi import to_js

from pynet import ink
from pynet.nn import weights
from pynet.nn.certainty import Certainty

__export__ = ["load_network", "classify"]

# Of the pad's side: ink smaller than this keeps its size, so that a tap of an unsteady hand is seen
# as the dot it is and not as a scribble that fills the image.
LEAST_SIDE = 0.06

CLASSES = [str(digit) for digit in range(10)]

networks = {}  # name -> (Sequential, Certainty); kept, so that going back to one is immediate


def answer(function):
    """Return what `function` returns as a JavaScript object, or its error as {error: one line}."""

    def wrapper(*values):
        try:
            result = function(*values)
        except Exception as error:
            text = " ".join(str(error).split())
            known = isinstance(error, (ValueError, OSError))
            result = {"error": text if known else f"{type(error).__name__}: {text}"}
        return to_js(result, dict_converter=Object.fromEntries)

    return wrapper


@answer
def load_network(name, file, data):
    """Read a network from the bytes of a weights file and keep it under `name`."""
    network, metadata = weights.loads(data.to_bytes(), name=file)
    if metadata.get("classes") != CLASSES:
        raise ValueError(f"{file}: classes: expected the digits 0 to 9")
    version = metadata.get("preprocessing")
    if version != ink.PREPROCESSING_VERSION:
        raise ValueError(
            f"{file}: preprocessing: expected version {ink.PREPROCESSING_VERSION}, got {version}"
        )
    folded = network.fold()  # batch norms into the layers before them
    networks[name] = folded, Certainty.of(metadata)
    return {}


@answer
def classify(name, points, lengths):
    """Classify strokes with the network `name`.

    `points` is a Float64Array x, y, x, y, ..., in sides of the pad; `lengths` an Int32Array with
    the number of points of each stroke. The result holds `digit`, `probabilities` (10), `refused`
    (whether it does not look like a digit; `digit` is the best guess then), `pixels` (784, in
    [0, 1]) and `milliseconds`, the time that this took.
    """
    start = time.perf_counter()
    flat = np.asarray(points.to_py()).reshape(-1, 2)
    strokes = np.split(flat, np.cumsum(np.asarray(lengths.to_py()))[:-1])
    image = ink.strokes_to_image(strokes, min_side=LEAST_SIDE)
    network, certainty = networks[name]
    probabilities = certainty.calibrate(network.predict_proba(image[None, :, :, None]))
    return {
        "digit": int(probabilities[0].argmax()),
        "probabilities": probabilities[0],
        "refused": bool(certainty.refuses(probabilities)[0]),
        "pixels": image.ravel(),
        "milliseconds": 1000 * (time.perf_counter() - start),
    }
