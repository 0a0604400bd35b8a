"""Load a trained network and make sure that it can name digits."""

from __future__ import annotations

from pathlib import Path

from pynet.nn import weights
from pynet.workshop.metrics import CLASSES

SHIPPED = Path(__file__).resolve().parents[2] / "weights"
INPUT_SHAPE = (28, 28, 1)


def shipped(name: str = "convnet") -> Path:
    """Return the path of weights that come with the repository.

    Raises
    ------
    weights.WeightsError
        If they are not there, as in an installation without the checkout.
    """
    path = SHIPPED / f"{name}.npz"
    if not path.is_file():
        raise weights.WeightsError(
            f"{path}: no shipped weights here; name a file, or make one: python -m pynet.train"
        )
    return path


def load_classifier(path):
    """Load a network that maps (N, 28, 28, 1) images to ten outputs.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    network : Sequential
    metadata : dict

    Raises
    ------
    weights.WeightsError
        For a file that is none, or a network of another shape.
    OSError
        For a file that cannot be read.
    """
    network, metadata = weights.load(path)
    try:
        shape = network.output_shape(INPUT_SHAPE)
    except ValueError as error:
        raise weights.WeightsError(f"{path}: not a network for 28x28 images ({error})") from error
    if tuple(shape) != (CLASSES,):
        raise weights.WeightsError(f"{path}: expected {CLASSES} outputs, got shape {shape}")
    return network, metadata
