"""Boxes and arrows: one neuron, a layer as a matrix, the chain rule with numbers, the page."""

import math

import numpy as np
from matplotlib.patches import Rectangle

from drawings import example, ink
from drawings.style import (
    BLUE,
    GREEN,
    OCHRE,
    PAPER,
    RULE,
    RUST,
    SHEET,
    SKY,
    SOFT,
    arrow,
    box,
    canvas,
    node,
    styled,
    write,
)  # fmt: skip
from pynet import Linear, build, strokes_to_image


@styled
def neuron():
    """One neuron of the worked example: inputs, weights, bias, sum, ReLU, output."""
    values = example.worked()
    weights, bias = values["0.weight"][0], values["0.bias"][0]
    figure, axes = canvas(3.4)
    sum_x, sum_y = 4.35, 1.75
    inputs = [(1.1, 2.75), (1.1, 1.35)]
    for index, ((x, y), value, weight) in enumerate(zip(inputs, values["x"], weights, strict=True)):
        end = edge((x, y), (sum_x, sum_y), 0.38, 0.55)
        arrow(axes, *end, colour=SKY, width=2.2)
        node(axes, x, y, number(value))
        write(axes, x - 0.42, y, rf"$x_{index + 1}$", align="right", size=13)
        middle = between((x, y), (sum_x, sum_y), 0.47)
        label = rf"$w_{index + 1} = {number(weight)}$"
        write(axes, *middle, label, colour=BLUE, size=12, ground="#fffdf6")
    arrow(axes, (sum_x, 0.72), (sum_x, sum_y - 0.57), colour=OCHRE, width=2.2)
    write(axes, sum_x, 0.5, rf"bias  $b = {number(bias)}$", size=12, colour=OCHRE)
    node(axes, sum_x, sum_y, r"$\Sigma$", radius=0.52, size=22)
    arrow(axes, (sum_x + 0.54, sum_y), (6.0, sum_y))
    write(axes, 5.44, sum_y + 0.24, rf"$z = {number(values['z'][0])}$", size=12)
    box(axes, 6.55, sum_y, 1.1, 1.0, fill=PAPER, colour=GREEN)
    axes.plot([6.15, 6.55, 6.9], [sum_y - 0.1, sum_y - 0.1, sum_y + 0.3], color=GREEN)
    write(axes, 6.55, sum_y - 0.31, "ReLU", size=10, colour=GREEN)
    arrow(axes, (7.12, sum_y), (7.85, sum_y))
    node(axes, 8.23, sum_y, number(values["h"][0]))
    write(axes, 8.23, sum_y + 0.6, "output $h$", size=12)
    write(axes, 1.1, 0.5, "inputs", colour=SOFT)
    write(axes, sum_x, 2.65, "weigh and add", colour=SOFT)
    write(axes, 6.55, 2.65, "bend", colour=SOFT)
    return figure


@styled
def layer():
    """Three inputs, two neurons; the same as a matrix, one row for each neuron."""
    figure, axes = canvas(3.3)
    inputs = [(0.8, 2.55), (0.8, 1.6), (0.8, 0.65)]
    outputs = [(3.1, 2.1), (3.1, 1.1)]
    colours = (BLUE, RUST)
    for (x, y), colour in zip(outputs, colours, strict=True):
        for start in inputs:
            arrow(axes, *edge(start, (x, y), 0.36, 0.4), colour=colour, width=1.5)
    for index, (x, y) in enumerate(inputs):
        node(axes, x, y, rf"$x_{index + 1}$", colour=SOFT, radius=0.34, size=13)
    for index, ((x, y), colour) in enumerate(zip(outputs, colours, strict=True)):
        node(axes, x, y, rf"$z_{index + 1}$", colour=colour, radius=0.36, size=13)
    for row, (colour, y) in enumerate(zip(colours, (1.95, 1.25), strict=True)):
        for column in range(3):
            x = 4.75 + 0.72 * column
            box(axes, x, y, 0.64, 0.56, rf"$w_{{{row + 1}{column + 1}}}$", colour=colour, size=13)
        box(axes, 7.85, y, 0.5, 0.56, rf"$b_{row + 1}$", colour=colour, size=13)
        box(axes, 8.6, y, 0.5, 0.56, rf"$z_{row + 1}$", colour=colour, size=13)
    for index, y in enumerate((2.3, 1.6, 0.9)):
        box(axes, 7.02, y, 0.5, 0.56, rf"$x_{index + 1}$", colour=SOFT, size=13)
    write(axes, 6.6, 1.6, r"$\cdot$", size=20)
    write(axes, 7.44, 1.6, "+", size=14)
    write(axes, 8.23, 1.6, "=", size=14)
    for x, text in ((5.47, "W"), (7.02, "x"), (7.85, "b"), (8.6, "z")):
        write(axes, x, 2.88, rf"${text}$", size=13, colour=SOFT)
    write(axes, 5.47, 0.5, "one row of weights\nfor each neuron", colour=SOFT, size=10)
    return figure


@styled
def forward():
    """The network `mlp`: an image, its pixels in a column, two hidden layers, ten scores."""
    figure, axes = canvas(3.9)
    middle = 2.0
    side = 1.9
    frame = Rectangle((0.3, middle - side / 2), side, side, facecolor="white", edgecolor=SOFT)
    axes.add_patch(frame)
    pixel = side / 28
    for (row, column), value in np.ndenumerate(strokes_to_image(ink.five())):
        if value:
            corner = 0.3 + column * pixel, middle + side / 2 - (row + 1) * pixel
            axes.add_patch(Rectangle(corner, pixel, pixel, color=str(1 - value), linewidth=0))
    network = build("mlp", rng=np.random.default_rng(0))
    widths = [layer.in_features for layer in network if isinstance(layer, Linear)]
    columns = [3.0, 4.75, 6.5, 8.25]
    heights = [np.linspace(middle - reach, middle + reach, count)
               for reach, count in ((1.45, 11), (1.2, 9), (0.9, 7), (1.3, 10))]  # fmt: skip
    for left, right, begin, end in zip(columns, columns[1:], heights, heights[1:], strict=False):
        for y in begin:
            for other in end:
                axes.plot([left, right], [y, other], color=RULE, linewidth=0.5, zorder=1)
    for x, ys, colour in zip(columns[:3], heights, (SOFT, BLUE, BLUE), strict=False):
        axes.plot([x] * len(ys), ys, "o", color=colour, markersize=7, zorder=2)
        axes.plot(x, middle, "s", color=SHEET, markersize=20, zorder=3)
        write(axes, x, middle, "⋮", size=16)
    for digit, y in enumerate(heights[3][::-1]):
        axes.plot(columns[3], y, "o", color=RUST if digit == 5 else SKY, markersize=14, zorder=2)
        axes.text(columns[3], y, str(digit), color=SHEET, fontsize=9, ha="center", va="center")
    arrow(axes, (0.3 + side + 0.12, middle), (columns[0] - 0.2, middle))
    labels = (f"{widths[0]} pixels", f"{widths[1]} hidden", f"{widths[2]} hidden", "10 scores")
    for x, text in zip(columns, labels, strict=True):
        write(axes, x, 0.28, text, colour=SOFT)
    write(axes, 0.3 + side / 2, 0.28, "28 × 28", colour=SOFT)
    return figure


@styled
def backpropagation():
    """The worked example: values run forward (blue), gradients run back (rust)."""
    v = example.worked()
    figure, axes = canvas(4.9)
    rows, columns = (3.35, 1.35), (0.95, 3.55, 6.15)
    half = (0.42, 0.62, 0.62)
    for step, name in enumerate(("0.weight", "2.weight")):
        for out in range(2):
            for inp in range(2):
                start = columns[step] + half[step], rows[inp]
                end = columns[step + 1] - half[step + 1], rows[out]
                arrow(axes, start, end, colour=SKY)
                place = between(start, end, 0.3)
                lift = 0 if inp != out else 0.0
                weight, gradient = v[name][out, inp], v[f"d{name}"][out, inp]
                x, y = place[0], place[1] + lift
                write(axes, x, y + 0.11, number(weight), colour=BLUE, size=10, ground="#fffdf6")
                write(axes, x, y - 0.11, number(gradient), colour=RUST, size=10, ground="#fffdf6")
    for index, y in enumerate(rows):
        node(axes, columns[0], y, number(v["x"][index]), radius=0.4)
        write(axes, columns[0], y + 0.62, rf"$x_{index + 1}$", size=12)
        write(axes, columns[0], y - 0.62, number(v["dx"][index]), colour=RUST)
        hidden = rf"$z = {number(v['z'][index])}$" + "\n" + rf"$h = {number(v['h'][index])}$"
        box(axes, columns[1], y, 1.24, 0.86, hidden, size=12)
        write(axes, columns[1], y + 0.64, f"hidden unit {index + 1}", size=10, colour=SOFT)
        gradients = f"dh {number(v['dh'][index])}   dz {number(v['dz'][index])}"
        write(axes, columns[1], y - 0.64, gradients, colour=RUST, size=10)
        write(axes, columns[1], y - 0.9, bias_text(v, "0.bias", index), colour=OCHRE, size=10)
        score = rf"$s = {number(v['s'][index])}$" + "\n" + rf"$p = {number(v['p'][index])}$"
        box(axes, columns[2], y, 1.24, 0.86, score, size=12)
        kind = " (the right one)" if index == example.TARGET[0] else ""
        write(axes, columns[2], y + 0.64, f"class {index}{kind}", size=10, colour=SOFT)
        write(axes, columns[2], y - 0.64, f"ds {number(v['ds'][index])}", colour=RUST, size=10)
        write(axes, columns[2], y - 0.9, bias_text(v, "2.bias", index), colour=OCHRE, size=10)
        arrow(axes, (columns[2] + 0.62, y), (7.72, 2.35 + 0.25 * (1 - 2 * index)), colour=SKY)
    box(axes, 8.24, 2.35, 1.02, 0.9, f"loss\n{v['loss']:.4f}", colour=GREEN, size=12)
    write(axes, 2.4, 4.55, "forward: values and weights, left to right", colour=BLUE)
    write(axes, 6.7, 4.55, "backward: gradients, right to left", colour=RUST)
    return figure


def bias_text(values, name, index):
    """Name a bias and its gradient."""
    return f"b {number(values[name][index])}   db {number(values[f'd{name}'][index])}"


@styled
def page():
    """From the training to the digit on the page."""
    figure, axes = canvas(4.3)
    top, low = 3.25, 1.15
    steps = [
        (1.15, top, "MNIST\n60,000 digits", SOFT),
        (3.45, top, "pynet.train\non your computer", BLUE),
        (5.75, top, "weights/convnet.npz\nthe numbers learned", OCHRE),
        (7.95, top, "build.py\nputs dist/ together", BLUE),
        (1.15, low, "pen strokes\non the pad", SOFT),
        (3.45, low, "pynet.ink\n28 × 28 grey levels", GREEN),
        (5.75, low, "pynet.nn\nforward, softmax", GREEN),
        (7.95, low, "the digit and\nten bars", RUST),
    ]
    for x, y, text, colour in steps:
        box(axes, x, y, 1.8, 0.86, text, colour=colour, size=10)
    for y in (top, low):
        for start, end in ((2.05, 2.55), (4.35, 4.85), (6.65, 7.05)):
            arrow(axes, (start, y), (end, y))
    axes.plot([2.3, 6.86, 6.86, 2.3, 2.3], [1.85, 1.85, 0.5, 0.5, 1.85], "--", color=RULE)
    write(axes, 4.6, 0.3, "Python (Pyodide) in a worker of the page", colour=SOFT, size=10)
    write(axes, 0.25, 4.0, "once, when it is trained and built", colour=SOFT, align="left")
    write(axes, 0.25, 1.98, "each time you draw", colour=SOFT, align="left")
    axes.plot([7.95, 7.95, 5.75], [top - 0.43, 2.2, 2.2], color=SOFT, linewidth=1.6)
    arrow(axes, (5.75, 2.2), (5.75, low + 0.43))
    write(axes, 6.5, 2.4, "sources and weights, fetched once", colour=SOFT, size=10)
    return figure


def number(value):
    """Write a number as one would by hand."""
    return f"{value:.4g}".replace("-", "−")


def between(start, end, share):
    """Return the point at a share of the way."""
    return tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))


def edge(start, end, from_start, from_end):
    """Shorten a line by lengths at both ends, so that it meets two circles."""
    length = math.dist(start, end)
    return between(start, end, from_start / length), between(start, end, 1 - from_end / length)
