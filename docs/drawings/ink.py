"""Pen strokes on their way to the 28x28 image."""

import numpy as np
from matplotlib.patches import Rectangle

from drawings.style import BLUE, OCHRE, RUST, SHEET, SKY, SOFT, TEXT, panels, styled
from pynet import strokes_to_image

# A 5 as a hand draws it, in two strokes: corners of the pen's path in pixels of a 400-pixel pad.
BODY = [(118, 128), (108, 206), (128, 199), (162, 196), (190, 212), (198, 244), (182, 280),
        (146, 296), (104, 284)]  # fmt: skip
BAR = [(118, 128), (150, 124), (190, 121)]


@styled
def strokes_to_pixels():
    """What the pad records, the grey levels that it becomes, and a few of them as numbers."""
    strokes = five()
    image = strokes_to_image(strokes)
    figure, axes = panels(3, 3.5)
    pad, frame, numbers = axes
    for stroke in strokes:
        pad.plot(*stroke.T, "o-", color=BLUE, markersize=3, linewidth=1.2)
    low, high = np.concatenate(strokes).min(axis=0), np.concatenate(strokes).max(axis=0)
    pad.add_patch(outline(low, high - low, OCHRE))
    pad.set(title="1  the path of the pen", xlim=(0, 400), ylim=(400, 0),
            xlabel="pixels of the pad", xticks=[0, 200, 400], yticks=[0, 200, 400])  # fmt: skip

    frame.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=(0, 28, 28, 0), interpolation="none")
    corner = box_corner(image)
    frame.add_patch(outline(corner, (20, 20), OCHRE))
    x, y = centre_of_mass(image)
    frame.plot(x, y, "+", color=RUST, markersize=15, markeredgewidth=2.2)
    frame.annotate("centre\nof mass", (x, y), (22.2, 11.2), color=RUST, fontsize=9,
                   ha="center", va="center",
                   arrowprops={"arrowstyle": "-", "color": RUST, "shrinkB": 5})  # fmt: skip
    frame.annotate("the 20-pixel box", (corner[0], corner[1]), (14, 1.7), color=OCHRE, fontsize=10,
                   ha="center", va="center")  # fmt: skip
    frame.set(title="2  drawn and placed", xlim=(0, 28), ylim=(28, 0), xlabel="28 × 28 pixels",
              xticks=[0, 14, 28], yticks=[0, 14, 28])  # fmt: skip

    top, left, side = 3, 9, 8
    frame.add_patch(outline((left, top), (side, side), SKY))
    part = image[top : top + side, left : left + side]
    numbers.imshow(part, cmap="gray_r", vmin=0, vmax=1.0, interpolation="none")
    for (row, column), value in np.ndenumerate(part):
        colour = SHEET if value > 0.45 else TEXT if value else SOFT
        text = "0" if value == 0 else "1" if value == 1 else f"{value:.2f}"[1:]
        numbers.text(column, row, text, color=colour, fontsize=9, ha="center", va="center")
    numbers.set(title="3  the blue square", xlabel="grey levels, 0 to 1",
                xticks=[], yticks=[])  # fmt: skip
    for place in axes:
        place.set_aspect("equal")
        place.grid(visible=False)
        for spine in place.spines.values():
            spine.set_visible(True)
    return figure


def five():
    """Return the strokes of the 5: a list of (n, 2) arrays, in pixels of the pad."""
    return [smooth(BODY, 40), smooth(BAR, 12)]


def outline(corner, size, colour):
    """Return the frame of a rectangle."""
    return Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=1.8, linestyle="--")


def smooth(corners, count):
    """Run a Catmull-Rom curve through corners and return points at even steps along it."""
    points = np.array(corners, dtype=float)
    padded = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, 30)[:, None]
    curve = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        curve.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
                            + (3 * b - a - 3 * c + d) * t**3))  # fmt: skip
    curve = np.concatenate(curve)
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(curve, axis=0).T))])
    at = np.linspace(0, length[-1], count)
    return np.stack([np.interp(at, length, axis) for axis in curve.T], axis=1)


def centre_of_mass(image):
    """Return x and y of the ink's centre, pixel centres at +0.5."""
    centres = np.arange(28) + 0.5
    return image.sum(axis=0) @ centres / image.sum(), image.sum(axis=1) @ centres / image.sum()


def box_corner(image):
    """Return x and y of the 20-pixel box, in whose middle the ink is."""
    corner = []
    for axis in (0, 1):
        filled = np.flatnonzero(image.any(axis=axis))
        corner.append(int(np.floor((filled[0] + filled[-1] + 1) / 2 - 10 + 0.5)))
    return corner
