"""Networks that look at images: a convolution with numbers, pooling, batch norm, `convnet`."""

import itertools

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Polygon, Rectangle

from drawings import ink
from drawings.experiments import moons, scaled, size
from drawings.style import (
    BLUE,
    GREEN,
    OCHRE,
    PAPER,
    RUST,
    SHEET,
    SKY,
    SOFT,
    TEXT,
    arrow,
    canvas,
    panels,
    styled,
    write,
)  # fmt: skip
from pynet import (
    Adam,
    AvgPool2d,
    BatchNorm1d,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    build,
    cross_entropy,
    strokes_to_image,
    train_step,
)  # fmt: skip

# The worked examples of the guide.
TINY = np.array([[1, 1, 1, 1, 0],
                 [0, 0, 0, 1, 0],
                 [0, 0, 0.5, 1, 0],
                 [0, 0, 1, 0.5, 0],
                 [0, 0, 1, 0, 0]])  # fmt: skip
STROKE = np.array([[-0.5, 1, -0.5], [-0.5, 1, -0.5], [-0.5, 1, -0.5]])
BIAS = -0.5
MAP = np.array([[1.0, 3, 2, 0], [4, 2, 0, 1], [0, 1, 5, 3], [2, 1, 6, 2]])
SIGNALS = np.array([2.0, 4, 4, 4, 5, 5, 7, 9])

DIVERGING = LinearSegmentedColormap.from_list("weights", [RUST, "#e9b48f", SHEET, SKY, BLUE])
INK = LinearSegmentedColormap.from_list("ink", ["#ffffff", "#000000"])
STRENGTH = LinearSegmentedColormap.from_list("strength", [SHEET, "#cfe3d8", GREEN])


@styled
def convolution():
    """A filter on a tiny 7: image, filter, the map it makes; the same with padding."""
    figure, axes = canvas(3.3)
    cell, top, gap = 0.43, 2.65, 0.42
    plain, padded = (convolved(padding) for padding in (0, 1))
    first = 0.25
    second = first + 5 * cell + gap
    third = second + 3 * cell + gap
    fourth = third + 3 * cell + 0.6
    middle = top - 2.5 * cell
    grid(axes, first, top, TINY, cell, INK, 0, 1.3)
    frame(axes, first + 2 * cell, top, 3 * cell, RUST)
    write(axes, second - gap / 2, middle, "∗", size=20)
    grid(axes, second, top - cell, STROKE, cell, DIVERGING, -1.6, 1.6, size=10)
    frame(axes, second, top - cell, 3 * cell, RUST)
    write(axes, second + 1.5 * cell, top - 4.5 * cell, f"bias {spell(BIAS)}", colour=OCHRE)
    write(axes, third - gap / 2, middle, "=", size=18)
    grid(axes, third, top - cell, plain, cell, DIVERGING, -2.6, 2.6, size=8.5)
    frame(axes, third + 2 * cell, top - cell, cell, RUST)
    grid(axes, fourth, top, padded, cell, DIVERGING, -2.6, 2.6, size=8.5)
    for row, column in np.ndindex(3, 3):
        frame(axes, fourth + 2 * column * cell, top - 2 * row * cell, cell, OCHRE)
    labels = (
        (first + 2.5 * cell, "image", "5 × 5"),
        (second + 1.5 * cell, "filter", "3 × 3"),
        (third + 1.5 * cell, "map", "3 × 3"),
        (fourth + 2.5 * cell, "map, padding 1", "5 × 5; stride 2 keeps ochre"),
    )
    for x, name, shape in labels:
        title(axes, x, top + 0.22, name)
        write(axes, x, top - 5 * cell - 0.27, shape, colour=SOFT, size=10)
    return figure


def convolved(padding):
    """Run the worked convolution and return its map."""
    layer = Conv2d(1, 1, 3, padding=padding).astype(np.float64)
    layer.params["weight"][0, :, :, 0] = STROKE
    layer.params["bias"][...] = BIAS
    return layer.forward(TINY[None, :, :, None])[0, :, :, 0]


@styled
def pooling():
    """Four windows: what max and mean make of them, and where the gradient goes back to."""
    figure, axes = canvas(3.3)
    cell, top = 0.5, 2.6
    x = MAP[None, :, :, None]
    largest = MaxPool2d(2)
    y = largest.forward(x, cache=True)
    dx = largest.backward(np.ones_like(y))
    mean = AvgPool2d(2).forward(x)
    places = (
        (0.35, MAP, "map", "4 × 4"),
        (3.25, y[0, :, :, 0], "max pooling", "2 × 2"),
        (5.0, mean[0, :, :, 0], "mean pooling", "2 × 2"),
        (6.75, dx[0, :, :, 0], "gradient of max", "back to 4 × 4"),
    )
    colours = np.array([[RUST, BLUE], [OCHRE, GREEN]])
    for left, values, name, shape in places:
        high = top if len(values) == 4 else top - cell
        grid(axes, left, high, values, cell, STRENGTH, 0, 8 if left < 6 else 2, size=12)
        step = len(values) // 2 * cell
        for (row, column), colour in np.ndenumerate(colours):
            inset = 0.03
            frame(axes, left + column * step + inset, high - row * step - inset,
                  step - 2 * inset, colour)  # fmt: skip
        centre = left + len(values) * cell / 2
        title(axes, centre, top + 0.22, name)
        write(axes, centre, top - 4 * cell - 0.3, shape, colour=SOFT, size=10)
    arrow(axes, (2.5, top - 2 * cell), (3.1, top - 2 * cell))
    return figure


@styled
def batch_norm():
    """Eight numbers normalised; signals in a deep network; how it learns from a poor start."""
    figure, axes = panels(3, 3.5)
    layer = BatchNorm1d(1).astype(np.float64)
    after = layer.forward(SIGNALS[:, None], training=True)[:, 0]
    for height, values, colour in ((1, SIGNALS, RUST), (0, after, BLUE)):
        # Equal numbers are put on top of each other.
        lifts = [0.1 * sum(values[:index] == value) for index, value in enumerate(values)]
        axes[0].plot(values, height + np.array(lifts), "o", color=colour, markersize=7)
        axes[0].plot([values.mean()] * 2, [height - 0.18, height - 0.05], color=colour)
        axes[0].text(values.mean(), height - 0.28, f"mean {spell(round(values.mean(), 6))}",
                     color=colour, fontsize=9, ha="center")  # fmt: skip
    axes[0].set(title="Eight signals", ylim=(-0.45, 1.5), yticks=[0, 1], xlim=(-3, 10),
                yticklabels=["after", "before"], xticks=range(-2, 10, 2))  # fmt: skip
    cases = ((2.0, False, RUST, "twice He"), (0.5, False, OCHRE, "half of He"),
             (2.0, True, BLUE, "either, batch norm"), (0.5, True, BLUE, None))  # fmt: skip
    for factor, normal, colour, label in cases:
        found = sizes(deep([256] * 11, factor, normal))
        style = "o-" if normal else "o--"
        axes[1].plot(range(1, 11), found, style, color=colour, label=label, markersize=4)
    axes[1].set(title="Signal, layer by layer", yscale="log", xlabel="layer", ylim=(1e-4, 1e7),
                ylabel="root mean square")  # fmt: skip
    axes[1].legend(loc="upper left")
    for normal, style, colour, name in ((False, "--", RUST, "without"), (True, "-", BLUE, "with")):
        axes[2].plot(learn(deep([2, *[32] * 5], 0.5, normal)), style, color=colour, label=name)
    axes[2].set(title="Loss from a poor start", xlabel="step", ylim=(0, 0.75))
    axes[2].legend(title="batch norm", loc="upper right")
    return figure


def deep(widths, factor, normal):
    """Build Linear, perhaps BatchNorm1d, ReLU, over and over; weights are He's times a factor."""
    rng = np.random.default_rng(1)
    layers = []
    for first, second in itertools.pairwise(widths):
        layers.append(Linear(first, second, init=scaled(factor), rng=rng))
        layers += [BatchNorm1d(second), ReLU()] if normal else [ReLU()]
    return layers


def sizes(layers):
    """Return how large the signal is after each ReLU, for random inputs, as in training."""
    x = np.random.default_rng(0).standard_normal((500, 256)).astype(np.float32)
    found = []
    for layer in layers:
        x = layer.forward(x, training=True)
        if isinstance(layer, ReLU):
            found.append(size(x))
    return found


def learn(layers):
    """Train these layers, and one for two scores, on two crescents: the loss of every step."""
    rng = np.random.default_rng(3)
    network = Sequential([*layers, Linear(32, 2, init=scaled(0.5), rng=rng)])
    x, targets = moons(256, rng)
    optimizer = Adam(network.params, learning_rate=0.002)
    return [train_step(network, cross_entropy, optimizer, x, targets) for _ in range(100)]


@styled
def convnet():
    """The network `convnet`: its signals as stacks of maps, as high as they have pixels."""
    figure, axes = canvas(3.9)
    stages = signals(build("convnet", rng=np.random.default_rng(0)))
    scale, middle = 1.95 / 28, 2.25
    slants = [channels * 0.0055 for (_, channels), _ in stages]
    gap = (8.0 - 0.3 - sum(pixels * scale * 0.42 + slant for ((pixels, _), _), slant
                           in zip(stages, slants, strict=True))) / len(stages)  # fmt: skip
    left = 0.3
    for ((pixels, channels), name), slant in zip(stages, slants, strict=True):
        width, height = pixels * scale * 0.42, pixels * scale
        colour = SOFT if channels == 1 else OCHRE if name == "pool" else BLUE
        slab(axes, left, middle - height / 2, width, height, slant, colour)
        centre = left + (width + slant) / 2
        write(axes, centre, 0.78, f"{pixels}×{pixels}\n×{channels}", size=10)
        if name == "pool":
            write(axes, centre, 3.72, "pool", colour=OCHRE, size=10)
        elif channels > 1:
            write(axes, centre, 3.72, "3×3", colour=BLUE, size=10)
        if channels == 1:
            draw_five(axes, left, middle - height / 2, width, height)
        right = left + width + slant
        arrow(axes, (right + 0.04, middle), (right + gap - 0.04, middle), width=1.2)
        left += width + slant + gap
    for x, count, colour in ((left + 0.08, 13, BLUE), (left + 0.55, 10, RUST)):
        ys = np.linspace(middle - 0.95, middle + 0.95, count)
        axes.plot([x] * count, ys, "o", color=colour, markersize=5)
    widths = [layer.out_features for layer in build("convnet") if isinstance(layer, Linear)]
    write(axes, left + 0.08, 0.78, f"{widths[0]}", size=10)
    write(axes, left + 0.55, 0.78, f"{widths[1]}", size=10)
    write(axes, 4.5, 0.25, "height: pixels.  depth: how many maps.", colour=SOFT, size=10)
    return figure


def signals(network):
    """Return (pixels, channels) and kind of the image and of each convolution and pooling."""
    shape = (28, 28, 1)
    found = [((28, 1), "image")]
    for layer in network:
        shape = layer.output_shape(shape)
        if isinstance(layer, Flatten):
            return found
        if isinstance(layer, (Conv2d, MaxPool2d)):
            found.append((shape[1:], "pool" if isinstance(layer, MaxPool2d) else "convolution"))
    return found


def slab(axes, left, bottom, width, height, slant, colour):
    """Draw a box in space: its front, and above and beside it how deep it is."""
    right, top = left + width, bottom + height
    rise = slant * 0.6
    faces = (
        ([(left, top), (left + slant, top + rise), (right + slant, top + rise),
          (right, top)], 0.25),
        ([(right, bottom), (right + slant, bottom + rise), (right + slant, top + rise),
          (right, top)], 0.45),
    )  # fmt: skip
    for corners, strength in faces:
        axes.add_patch(Polygon(corners, facecolor=colour, alpha=strength, edgecolor="none"))
        axes.add_patch(Polygon(corners, fill=False, edgecolor=colour, linewidth=1.0))
    axes.add_patch(Rectangle((left, bottom), width, height, facecolor=PAPER, edgecolor=colour,
                             linewidth=1.4))  # fmt: skip


def draw_five(axes, left, bottom, width, height):
    """Draw the 5 of the other pictures into a rectangle, seen from the side."""
    image = strokes_to_image(ink.five())
    across, down = width / 28, height / 28
    for (row, column), value in np.ndenumerate(image):
        if value:
            corner = left + column * across, bottom + height - (row + 1) * down
            axes.add_patch(Rectangle(corner, across, down, color=str(1 - value), linewidth=0))


def grid(axes, left, top, values, cell, shades, low, high, *, size=11):
    """Draw a matrix as shaded squares with its numbers in them."""
    for (row, column), value in np.ndenumerate(values):
        corner = left + column * cell, top - (row + 1) * cell
        colour = shades((value - low) / (high - low))
        axes.add_patch(Rectangle(corner, cell, cell, facecolor=colour, edgecolor=SOFT,
                                 linewidth=0.7))  # fmt: skip
        light = colour[:3] @ np.array([0.3, 0.6, 0.1]) > 0.5
        write(axes, corner[0] + cell / 2, corner[1] + cell / 2, spell(value),
              colour=TEXT if light else SHEET, size=size)  # fmt: skip


def title(axes, x, y, text):
    """Write a heading so that all in a row stand on one line."""
    axes.text(x, y, text, fontsize=12, weight="bold", ha="center", va="baseline")


def frame(axes, left, top, side, colour):
    """Draw a square outline."""
    axes.add_patch(Rectangle((left, top - side), side, side, fill=False, edgecolor=colour,
                             linewidth=2.4, zorder=4))  # fmt: skip


def spell(value):
    """Write a number as one would by hand."""
    return f"{value + 0.0:.4g}".replace("-", "−")
