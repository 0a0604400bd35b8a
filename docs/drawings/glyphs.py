"""The contact sheet of the generator: every style of each digit, as several hands write it."""

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from drawings.style import BLUE, RULE, RUST, SOFT, WIDTH, shrink, styled, write
from pynet.ink.glyphs import STYLES, draw

SEED = 0
SAMPLES = 5  # of each style
COLUMNS = 3
ROW, NAME, DIGIT = 0.225, 1.02, 0.24  # inches: height of a row, width of its name, of the label
MARGIN = 0.12  # inches
COLOURS = 16  # of the file: lines in two colours and their edges need no more


def contact_sheet(path):
    """Write the sheet, in few colours."""
    _sheet(path)
    shrink(path, colours=COLOURS)


@styled
def _sheet():
    """All styles in three columns; where the pen came down for the first time is marked."""
    rng = np.random.default_rng(SEED)
    columns = _columns()
    height = max(len(column) for column in columns) * ROW + 2 * MARGIN
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0), aspect="equal")
    axes.axis("off")
    width = (WIDTH - 2 * MARGIN) / COLUMNS
    cell = (width - DIGIT - NAME - MARGIN) / SAMPLES
    lines, starts = [], []
    for left, column in zip(MARGIN + width * np.arange(COLUMNS), columns, strict=True):
        for top, (label, style, first) in zip(MARGIN + ROW * np.arange(99), column, strict=False):
            middle = top + ROW / 2
            if first:
                write(axes, left + DIGIT / 3, middle, str(label), colour=BLUE, size=13,
                      weight="bold")  # fmt: skip
                axes.plot([left, left + width - MARGIN], [top, top], color=RULE, linewidth=0.7)
            write(axes, left + DIGIT, middle, style, colour=SOFT, size=6.5, align="left")
            for number, strokes in enumerate(draw([label] * SAMPLES, rng=rng, style=style)):
                x = left + DIGIT + NAME + cell * (number + 0.5)
                strokes = _fit(strokes, (x, middle), 0.82 * ROW)
                lines += strokes
                starts.append(strokes[0][0])
    axes.add_collection(LineCollection(lines, colors=BLUE, linewidths=1.0, capstyle="round"))
    axes.plot(*np.transpose(starts), ".", color=RUST, markersize=2.2)
    return figure


def _columns():
    """Deal (label, style, whether it is the label's first) to columns; no digit is torn apart."""
    total = sum(len(styles) for styles in STYLES.values())
    columns, before = [[] for _ in range(COLUMNS)], 0
    for label, styles in STYLES.items():
        column = columns[int((before + len(styles) / 2) / total * COLUMNS)]
        column += [(label, style, number == 0) for number, style in enumerate(styles)]
        before += len(styles)
    return columns


def _fit(strokes, centre, side):
    """Scale strokes to a square of this side around the centre."""
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = side / (high - low).max()
    return [(stroke - (low + high) / 2) * scale + centre for stroke in strokes]
