"""Digits as pen strokes, made by hand for these tests: several styles of each, and distortions."""

import numpy as np


def arc(x, y, rx, ry, start, end, count=24):
    """Return points on an ellipse around (x, y), from one angle to another, in degrees.

    0 points to the right and 90 down, since y runs down.
    """
    angle = np.radians(np.linspace(start, end, count))
    return [(float(x + rx * np.cos(a)), float(y + ry * np.sin(a))) for a in angle]


# Each drawing is a list of strokes, each stroke a list of (x, y) in 0..1.
DIGITS = {
    0: [
        [arc(0.5, 0.5, 0.2, 0.32, -90, -450, 40)],
        [arc(0.5, 0.5, 0.27, 0.3, -70, -430, 40)],
        [arc(0.5, 0.5, 0.17, 0.33, -120, 240, 40)],
    ],
    1: [
        [[(0.5, 0.15), (0.5, 0.85)]],
        [[(0.58, 0.15), (0.45, 0.85)]],
        [[(0.42, 0.28), (0.52, 0.16), (0.52, 0.85)]],
    ],
    2: [
        [[*arc(0.5, 0.33, 0.2, 0.18, -170, 40), (0.3, 0.82), (0.74, 0.82)]],
        [[*arc(0.48, 0.34, 0.22, 0.2, -150, 50), (0.45, 0.66), (0.27, 0.8), (0.78, 0.78)]],
        [[*arc(0.5, 0.36, 0.17, 0.2, -180, 30), (0.52, 0.62), (0.3, 0.83), (0.75, 0.83)]],
    ],
    3: [
        [[*arc(0.48, 0.33, 0.19, 0.17, -150, 90), *arc(0.48, 0.67, 0.22, 0.18, -90, 150)]],
        [[*arc(0.47, 0.32, 0.17, 0.16, -160, 100), *arc(0.47, 0.66, 0.2, 0.2, -90, 160)]],
        [[(0.3, 0.2), (0.68, 0.2), (0.48, 0.44), *arc(0.46, 0.64, 0.2, 0.2, -70, 150)]],
    ],
    4: [
        [[(0.36, 0.16), (0.28, 0.55), (0.74, 0.55)], [(0.62, 0.3), (0.6, 0.87)]],
        [[(0.34, 0.2), (0.32, 0.52), (0.66, 0.5)], [(0.68, 0.17), (0.64, 0.85)]],
        [[(0.6, 0.15), (0.25, 0.6), (0.78, 0.6)], [(0.61, 0.15), (0.6, 0.88)]],
    ],
    5: [
        [[(0.7, 0.18), (0.36, 0.18), (0.34, 0.46), *arc(0.47, 0.63, 0.21, 0.2, -110, 150)]],
        [
            [(0.36, 0.2), (0.34, 0.47), *arc(0.47, 0.64, 0.2, 0.19, -115, 150)],
            [(0.36, 0.2), (0.7, 0.18)],
        ],
        [[(0.68, 0.2), (0.4, 0.2), (0.36, 0.48), *arc(0.48, 0.65, 0.2, 0.18, -120, 140)]],
    ],
    6: [
        [[(0.6, 0.14), (0.44, 0.32), (0.35, 0.56), *arc(0.5, 0.66, 0.17, 0.17, -200, -540, 36)]],
        [[(0.56, 0.15), (0.4, 0.4), *arc(0.5, 0.67, 0.16, 0.17, -185, -560, 36)]],
        [[*arc(0.68, 0.6, 0.34, 0.45, -100, -190), *arc(0.5, 0.66, 0.16, 0.16, -190, -530, 36)]],
    ],
    7: [
        [[(0.28, 0.2), (0.72, 0.2), (0.45, 0.86)]],
        [[(0.27, 0.24), (0.7, 0.18), (0.5, 0.5), (0.42, 0.86)]],
        [[(0.3, 0.2), (0.7, 0.22), (0.56, 0.5), (0.5, 0.87)]],
    ],
    8: [
        [[*arc(0.5, 0.33, 0.16, 0.16, 90, -270, 36), *arc(0.5, 0.67, 0.19, 0.18, -90, 270, 36)]],
        [[*arc(0.5, 0.34, 0.15, 0.17, -60, -270, 24), *arc(0.5, 0.68, 0.17, 0.17, -90, 270, 36),
          *arc(0.5, 0.34, 0.15, 0.17, 90, -60, 20)]],
        [[*arc(0.5, 0.33, 0.14, 0.15, -90, 270, 36)], [*arc(0.5, 0.66, 0.18, 0.18, -90, 270, 36)]],
    ],
    9: [
        [[*arc(0.5, 0.35, 0.18, 0.18, -20, -380, 36), (0.66, 0.5), (0.6, 0.87)]],
        [[*arc(0.48, 0.36, 0.17, 0.18, 0, -360, 36), (0.65, 0.36), (0.63, 0.86)]],
        [[*arc(0.5, 0.34, 0.16, 0.16, -30, -390, 36), (0.64, 0.42), (0.56, 0.88)]],
    ],
}  # fmt: skip


def distort(strokes, rng):
    """Return the drawing, slanted, turned, stretched and trembled a little, still within 0..1."""
    turn, slant = np.radians(rng.uniform(-12, 12)), rng.uniform(-0.2, 0.2)
    width, height = rng.uniform(0.75, 1.1, 2)
    matrix = (
        np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        @ np.array([[1.0, slant], [0.0, 1.0]])
        @ np.diag([width, height])
    )
    centre = 0.5 + rng.uniform(-0.05, 0.05, 2)
    drawing = []
    for stroke in strokes:
        points = (np.asarray(stroke) - 0.5) @ matrix.T + centre
        points += rng.normal(0, 0.004, points.shape)
        drawing.append([(float(x), float(y)) for x, y in points.clip(0.0, 1.0)])
    return drawing


def drawings(count, seed):
    """Return `count` distorted drawings, each digit and each style in turn: (digit, strokes)."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        digit, styles = number % 10, DIGITS[number % 10]
        found.append((digit, distort(styles[number // 10 % len(styles)], rng)))
    return found
