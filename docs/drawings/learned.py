"""What training made of the shipped networks: their first weights, and the way there."""

import json

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from drawings import ROOT, MissingInputError, ink
from drawings.images import DIVERGING, STRENGTH
from drawings.style import BLUE, RUST, SOFT, WIDTH, panels, shrink, styled, write
from pynet import Conv2d, ReLU, load, strokes_to_image

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
    pitch = 28 * ZOOM + GAP
    sheet = np.empty((ROWS * pitch + GAP, COLUMNS * pitch + GAP, 3), np.uint8)
    sheet[...] = DIVERGING(0.5, bytes=True)[:3]
    for index, image in enumerate(weight):
        tile = DIVERGING(0.5 + image / np.abs(image).max() / 2, bytes=True)[..., :3]
        row, column = divmod(index, COLUMNS)
        top, left = GAP + row * pitch, GAP + column * pitch
        large = tile.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
        sheet[top : top + 28 * ZOOM, left : left + 28 * ZOOM] = large
    Image.fromarray(sheet).save(path)
    shrink(path)


@styled
def filters():
    """The first filters of convnet, and the maps that its convolutions make of a 5."""
    network, _ = shipped("convnet")
    # As the page runs it: batch norm is in the filters, and ReLU shows what is passed on.
    network = network.fold()
    first = next(layer for layer in network if isinstance(layer, Conv2d))
    x = strokes_to_image(ink.five())[None, :, :, None]
    rows = [("filters", first.params["weight"][..., 0], DIVERGING)]
    after = None
    for layer in network:
        x = layer.forward(x)
        if isinstance(layer, ReLU) and isinstance(after, Conv2d):
            maps = x[0].transpose(2, 0, 1)
            rows.append((f"{maps.shape[1]} × {maps.shape[2]}", maps, STRENGTH))
        after = layer
    columns = min(16, first.out_channels)
    pitch = 0.5
    figure = Figure(figsize=(WIDTH, pitch * len(rows) + 0.15))
    height = figure.get_figheight()
    ground = figure.add_axes((0, 0, 1, 1))
    ground.set(xlim=(0, WIDTH), ylim=(0, height))
    ground.axis("off")
    for row, (name, tiles, shades) in enumerate(rows):
        bottom = height - 0.1 - pitch * (row + 1)
        write(ground, 0.86, bottom + pitch / 2, name, colour=SOFT, size=10, align="right")
        # All of a row share one scale, so that a map of zeros looks it; a few values may exceed it.
        shown = np.abs(tiles[:columns])
        limit = np.quantile(shown[shown > 0], 0.98)
        low = -limit if shades is DIVERGING else 0
        for column, tile in enumerate(tiles[:columns]):
            corner = 0.96 + column * pitch, bottom + 0.025
            place = figure.add_axes((corner[0] / WIDTH, corner[1] / height,
                                     (pitch - 0.05) / WIDTH, (pitch - 0.05) / height))  # fmt: skip
            place.imshow(tile, cmap=shades, vmin=low, vmax=limit, interpolation="none")
            place.set(xticks=[], yticks=[])
            place.grid(visible=False)
            place.spines[:].set(visible=True, color=SOFT, linewidth=0.5)
    return figure


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
