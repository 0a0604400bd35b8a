"""What training made of the shipped networks: their first weights, and the way there."""

import json

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image

from drawings import ROOT, MissingInputError
from drawings.style import BLUE, RUST, SHEET, SKY, panels, shrink, styled
from pynet import load

ROWS, COLUMNS = 4, 10
ZOOM, GAP = 4, 8  # pixels of the picture for a weight, and between the tiles
WEIGHTS = ROOT / "weights"


def shipped(name):
    """Return network and metadata of weights/NAME.npz."""
    path = WEIGHTS / f"{name}.npz"
    if not path.is_file():
        raise MissingInputError(
            f"needs {path.relative_to(ROOT)}; make it with "
            f"python -m pynet.train {name} --recipe full --out {path.relative_to(ROOT)}"
        )
    return load(path)


def history(name, runs):
    """Return the records of the epochs that chose the shipped network NAME.

    Taken from the folder `runs`, or from weights/, and only if it is of these very weights.
    """
    _, metadata = shipped(name)
    for path in (runs / f"{name}.history.json", WEIGHTS / f"{name}.history.json"):
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            if all(found[key] == metadata[key] for key in ("seed", "recipe", "accuracy")):
                return [record for record in found["epochs"] if record["stage"] == "choose"]
    raise MissingInputError(
        f"needs {name}.history.json of the run that made weights/{name}.npz; make both with "
        f"python -m pynet.train {name} --recipe full, and copy runs/{name}.npz to weights/"
    )


def first_layer(path):
    """Weights of the first hidden units of classic-relu, each laid out as the image it looks at."""
    network, _ = shipped("classic-relu")
    weight = network.params["1.weight"][: ROWS * COLUMNS].reshape(-1, 28, 28)
    shades = LinearSegmentedColormap.from_list("weights", [RUST, "#e9b48f", SHEET, SKY, BLUE])
    pitch = 28 * ZOOM + GAP
    sheet = np.empty((ROWS * pitch + GAP, COLUMNS * pitch + GAP, 3), np.uint8)
    sheet[...] = shades(0.5, bytes=True)[:3]
    for index, image in enumerate(weight):
        tile = shades(0.5 + image / np.abs(image).max() / 2, bytes=True)[..., :3]
        row, column = divmod(index, COLUMNS)
        top, left = GAP + row * pitch, GAP + column * pitch
        large = tile.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
        sheet[top : top + 28 * ZOOM, left : left + 28 * ZOOM] = large
    Image.fromarray(sheet).save(path)
    shrink(path)


@styled
def training_curves(runs=ROOT / "runs"):
    """Validation error of both classic networks; both losses of classic-relu."""
    curves = {name: history(name, runs) for name in ("classic-sigmoid", "classic-relu")}
    figure, axes = panels(2, 3.6)
    for (name, records), colour, mark in zip(curves.items(), (RUST, BLUE), "so", strict=True):
        epochs = [record["epoch"] for record in records]
        wrong = [100 * (1 - record["validation_accuracy"]) for record in records]
        axes[0].plot(epochs, wrong, mark + "-", color=colour, label=name, markersize=3.5)
    axes[0].set(title="Validation digits misread, %", xlabel="epoch", ylim=(0, None))
    records = curves["classic-relu"]
    epochs = [record["epoch"] for record in records]
    axes[1].plot(epochs, [r["loss"] for r in records], "o-", color=BLUE, label="training",
                 markersize=3.5)  # fmt: skip
    axes[1].plot(epochs, [r["validation_loss"] for r in records], "s--", color=RUST,
                 label="validation", markersize=3.5)  # fmt: skip
    axes[1].set(title="Loss of classic-relu", xlabel="epoch", ylim=(0, None))
    for place in axes:
        place.legend(loc="upper right")
    return figure
