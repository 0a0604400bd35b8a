"""What the page asks of Python: networks by name, and what they say of strokes.

Plain Python and numpy, with no JavaScript in reach: so a snapshot of Python's memory can hold this
module with the default network loaded, and tests can run it anywhere. What a drawing means is
decided in `pynet.ink` and `pynet.nn`, which the command lines use as well.
"""

import time

import numpy as np

from pynet import ink
from pynet.nn import weights
from pynet.nn.certainty import Certainty

# Of the pad's side: ink smaller than this keeps its size, so that a tap of an unsteady hand is seen
# as the dot it is and not as a scribble that fills the image.
LEAST_SIDE = 0.06

CLASSES = [str(digit) for digit in range(10)]

networks = {}  # name -> (Sequential, Certainty); kept, so that going back to one is immediate
asleep = {}  # the same as trained, that came with Python in a snapshot


def load_network(name, file, data):
    """Read a network from the bytes of a weights file and keep it under `name`.

    Raises ValueError with one line on what is wrong with the file.
    """
    network, metadata = weights.loads(data, name=file)
    if metadata.get("classes") != CLASSES:
        raise ValueError(f"{file}: classes: expected the digits 0 to 9")
    version = metadata.get("preprocessing")
    if version != ink.PREPROCESSING_VERSION:
        raise ValueError(
            f"{file}: preprocessing: expected version {ink.PREPROCESSING_VERSION}, got {version}"
        )
    keep(name, network, Certainty.of(metadata))


def keep(name, network, certainty):
    """Make a network ready to classify, its batch norms folded into the layers before them."""
    networks[name] = network.fold(), certainty


def wake():
    """Make the networks ready that came with Python.

    A snapshot holds them as trained: the weights of the files have half precision, and so take
    fewer bytes packed than those that folding makes.
    """
    while asleep:
        name, (network, certainty) = asleep.popitem()
        keep(name, network, certainty)


def classify(name, points, lengths):
    """Classify strokes with the network `name`.

    `points` is float64 x, y, x, y, ..., in sides of the pad; `lengths` int32, the number of points
    of each stroke. The result holds `digit`, `probabilities` (10), `refused` (whether it does not
    look like a digit; `digit` is the best guess then), `pixels` (784, in [0, 1]) and
    `milliseconds`, the time that this took.
    """
    start = time.perf_counter()
    strokes = np.split(np.asarray(points).reshape(-1, 2), np.cumsum(np.asarray(lengths))[:-1])
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
