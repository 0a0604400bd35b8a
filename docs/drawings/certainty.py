"""What certainty is about: shares at other temperatures, and drawings that are no digit."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from drawings.style import BLUE, GREEN, SOFT, WIDTH, panels, shrink, styled, write
from pynet import softmax
from pynet.ink import scribbles
from pynet.nn.certainty import Certainty

SEED = 0
SAMPLES = 16  # of each kind
ROW, NAME, MARGIN = 0.47, 0.95, 0.1  # inches


@styled
def temperatures():
    """The shares of part 5 at three temperatures."""
    figure, axes = panels(3, 2.6)
    shares = softmax(np.array([[2.0, 1.0, -1.0]]))
    for place, temperature in zip(axes, (0.5, 1.0, 2.0), strict=True):
        values = Certainty(temperature).calibrate(shares)[0]
        bars = place.bar(["0", "1", "2"], values, color=GREEN, width=0.6)
        place.bar_label(bars, [f"{value:.3f}" for value in values], padding=3)
        place.set(title=f"$T = {temperature:g}$", xlabel="class", yticks=[], ylim=(0, 1.1))
        place.axhline(0, color=SOFT, linewidth=0.8)
        place.spines[["left", "bottom"]].set_visible(False)
        place.tick_params(axis="x", length=0)
        place.grid(visible=False)
    return figure


def no_digits(path):
    """Write the sheet of drawings that are no digit, in few colours."""
    _no_digits(path)
    shrink(path, colours=16)


@styled
def _no_digits():
    """A row of drawings for each kind."""
    rng = np.random.default_rng(SEED)
    height = len(scribbles.KINDS) * ROW + 2 * MARGIN
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0), aspect="equal")
    axes.axis("off")
    cell = (WIDTH - NAME - 2 * MARGIN) / SAMPLES
    lines = []
    for row, kind in enumerate(scribbles.KINDS):
        middle = MARGIN + ROW * (row + 0.5)
        write(axes, MARGIN, middle, kind, colour=SOFT, size=10, align="left")
        for number, strokes in enumerate(scribbles.draw([kind] * SAMPLES, rng=rng)):
            centre = MARGIN + NAME + cell * (number + 0.5), middle
            points = np.concatenate(strokes)
            low, high = points.min(axis=0), points.max(axis=0)
            scale = 0.8 * ROW / (high - low).max()
            lines += [(stroke - (low + high) / 2) * scale + centre for stroke in strokes]
    axes.add_collection(LineCollection(lines, colors=BLUE, linewidths=1.2, capstyle="round"))
    return figure
