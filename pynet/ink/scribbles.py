"""What is drawn and is no digit: scribbles, letters, signs, several characters at once, halves.

Networks learn from these drawings to say "none of them", and are judged by how often they do. As
with `glyphs`, which draws the digits, everything random comes from the generator passed in.
"""

import math

import numpy as np

from pynet.ink import glyphs, letters
from pynet.ink.strokes import strokes_to_images

# How often each kind is drawn. Letters are what is nearest to digits, and hardest.
SHARES = {"scribbles": 0.22, "signs": 0.13, "letters": 0.45, "writing": 0.14, "halves": 0.06}
KINDS = tuple(SHARES)

_MOST = 4  # characters side by side

# Parts of a digit that are no digit themselves, as the lower half of a 9 would be: the side
# of its middle that is left, as (axis, sign), x and y to the right and down.
_LEFT, _RIGHT, _UPPER, _LOWER = (0, -1), (0, 1), (1, -1), (1, 1)
_HALVES = (
    (0, _UPPER), (0, _LOWER), (2, _UPPER), (2, _LOWER), (3, _UPPER), (3, _LOWER),
    (5, _UPPER), (5, _LOWER), (8, _LEFT), (3, _LEFT),
)  # fmt: skip


def images(kinds, *, rng):
    """Draw one image for each entry, as the page would hand them to a network.

    Parameters
    ----------
    kinds : sequence of N str
        Of `KINDS`; see `choose`.
    rng : numpy.random.Generator

    Returns
    -------
    (N, 28, 28) float32 ndarray
        Ink in [0, 1], 0 background.
    """
    drawings = draw(kinds, rng=rng)
    return strokes_to_images(drawings, pen_width=glyphs.pen_widths(len(drawings), rng))


def choose(count, *, rng):
    """Return `count` kinds at random, each as often as `SHARES` says."""
    return [KINDS[index] for index in rng.choice(len(KINDS), count, p=list(SHARES.values()))]


def draw(kinds, *, rng):
    """Draw what is no digit.

    Parameters
    ----------
    kinds : sequence of N str
        Of `KINDS`.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    list of N drawings
        Each a list of strokes, (n, 2) float64 ndarrays, x to the right and y down, in no unit.

    Raises
    ------
    ValueError
        For a kind that there is not.
    """
    for kind in kinds:
        if kind not in SHARES:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    # What a `Scribe` writes is written together: it is fast at many.
    count = {kind: list(kinds).count(kind) for kind in KINDS}
    half = rng.integers(len(_HALVES), size=count["halves"])
    wanted = [_HALVES[number][0] for number in half] + rng.integers(
        10, size=_MOST * count["writing"]
    ).tolist()
    digits = glyphs.draw(np.array(wanted, np.intp), rng=rng)
    written = letters.draw("letters", count["letters"] + _MOST * count["writing"], rng=rng)
    parts = {
        "scribbles": (_scribble(rng) for _ in range(count["scribbles"])),
        "signs": iter(letters.draw("signs", count["signs"], rng=rng)),
        "letters": iter(written[: count["letters"]]),
        "writing": (
            _writing(digits[at + count["halves"] :][:_MOST], written[at + count["letters"] :], rng)
            for at in range(0, _MOST * count["writing"], _MOST)
        ),
        "halves": (_half(digits[at], *_HALVES[number][1], rng) for at, number in enumerate(half)),
    }
    return [next(parts[kind]) for kind in kinds]


def _scribble(rng):
    """One scribble, in any direction."""
    strokes = _SCRIBBLES[rng.integers(len(_SCRIBBLES))](rng)
    return _bend(_turn(strokes, rng.uniform(0, 2 * np.pi)), rng)


def _bend(strokes, rng):
    """The same by another hand: stretched, slanted, turned, bent, and with a tremor."""
    points = np.concatenate(strokes)
    middle, size = points.mean(axis=0), np.ptp(points, axis=0).max() + 1e-9
    slant, turn = rng.normal(0.08, 0.18), rng.normal(0, 0.1)
    wide, high = np.exp(rng.normal(0, 0.2)), 1.0
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[wide, -slant], [0, high]])
    unit = (points - middle) / size
    # A slow wave moves neighbouring points alike, in a direction of its own.
    for _ in range(2):
        wave, phase = rng.normal(0, 4, 2), rng.uniform(0, 2 * np.pi)
        unit = unit + np.sin(unit @ wave + phase)[:, None] * rng.normal(0, 0.025, 2)
    unit = unit + rng.normal(0, abs(rng.normal(0, 0.006)), unit.shape)
    return np.split(unit @ matrix.T, np.cumsum([len(stroke) for stroke in strokes])[:-1])


def _turn(strokes, angle):
    """Turn all strokes about the origin."""
    cos, sin = np.cos(angle), np.sin(angle)
    return [stroke @ np.array([[cos, sin], [-sin, cos]]) for stroke in strokes]


def _half(strokes, axis, sign, rng):
    """What is left of a digit on one side of a line, a little less than half."""
    along = np.concatenate(strokes)[:, axis]
    share = rng.uniform(0.38, 0.5)
    cut = along.min() + np.ptp(along) * (share if sign < 0 else 1 - share)
    left = []
    for stroke in strokes:
        fine = _resample(stroke, 40)
        kept = sign * (fine[:, axis] - cut) >= 0
        pieces = np.split(fine, np.flatnonzero(np.diff(kept)) + 1)
        left += [piece for piece in pieces if sign * (piece[0, axis] - cut) >= 0 and len(piece) > 1]
    return left or strokes


def _resample(stroke, count):
    """The same line by `count` points at even distances."""
    length = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(stroke, axis=0).T))])
    places = np.linspace(0, length[-1], count)
    return np.stack([np.interp(places, length, stroke[:, axis]) for axis in (0, 1)], axis=1)


def _writing(digits, others, rng):
    """Several characters side by side, digits or letters or both, now and then below each other."""
    count = min(1 + rng.geometric(0.5), _MOST)
    mixed = rng.random(count) < rng.choice([0.0, 0.5, 1.0], p=[0.5, 0.2, 0.3])
    parts = [others[at] if mixed[at] else digits[at] for at in range(count)]
    axis = int(rng.random() < 0.12)
    strokes, edge = [], 0.0
    for part in parts:
        points = np.concatenate(part)
        low, extent = points.min(axis=0), np.ptp(points, axis=0)
        height = max(extent[1], 0.5 * extent[0], 1e-9) * np.exp(rng.normal(0, 0.1))
        move = np.array([0.0, rng.normal(0, 0.05)])
        move[axis] = edge
        part = [(stroke - low) / height + move for stroke in part]
        strokes += part
        edge = max(stroke[:, axis].max() for stroke in part) + rng.uniform(0.08, 0.35)
    return strokes


# Scribbles of the eye's own making: each takes a generator and returns strokes of about unit size,
# in one direction that is then turned at random.


def _tangle(rng):
    """A smooth line that wanders about."""
    count = rng.integers(5, 16)
    time = np.linspace(0, 1, 8 * count)
    line = 0.0
    for rate in range(1, count // 2 + 2):
        amount = rng.normal(0, 1, (2, 2)) / rate ** rng.uniform(0.3, 1.2)
        angle = 2 * np.pi * rate * rng.uniform(0.7, 1.1) * time[:, None]
        line = line + np.sin(angle) * amount[0] + np.cos(angle) * amount[1]
    return [line]


def _walk(rng):
    """A line of sharp turns, from anywhere to anywhere."""
    return [rng.random((rng.integers(6, 25), 2))]


def _wander(rng):
    """A line whose direction drifts, as by a hand that thinks of something else."""
    count = rng.integers(40, 140)
    turns = np.cumsum(rng.normal(0, rng.uniform(0.25, 0.6), count)) + rng.normal(0, 6)
    return [np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)]


def _zigzag(rng):
    """To and fro, and slowly on."""
    count = rng.integers(6, 22)
    x = np.arange(count) * rng.uniform(0.07, 0.35) + rng.normal(0, 0.03, count)
    y = np.arange(count) % 2 + rng.normal(0, 0.12, count)
    return [np.stack([x, y], axis=1)]


def _hatching(rng):
    """Lines beside each other, sometimes with others across."""
    strokes = []
    for across in range(1 + (rng.random() < 0.4)):
        for place in np.linspace(0, 1, rng.integers(3, 9)):
            line = np.array([[place, 0.0], [place, 1.0]]) + rng.normal(0, 0.06, (2, 2))
            strokes.append(line[:, ::-1] if across else line)
    return strokes


def _spiral(rng):
    """Round and round, outwards, for more than a turn and a half."""
    angle = np.linspace(0, 2 * np.pi * rng.uniform(1.8, 5), 90)
    radius = rng.uniform(0, 0.15) + angle / angle[-1]
    line = np.stack([np.cos(angle), np.sin(angle) * rng.choice([-1, 1])], axis=1)
    return [line * radius[:, None]]


def _coil(rng):
    """Loop after loop along a line, as in practising to write."""
    turns = rng.uniform(3, 9)
    angle = np.linspace(0, 2 * np.pi * turns, int(14 * turns))
    x = rng.uniform(0.05, 0.25) * angle + np.cos(angle) * rng.uniform(0.4, 1.2)
    return [np.stack([x, np.sin(angle)], axis=1)]


def _ball(rng):
    """Many rounds on top of each other: a knot of wool, or something crossed out."""
    turns = rng.uniform(2.5, 8)
    angle = np.linspace(0, 2 * np.pi * turns, int(16 * turns))
    drift = rng.normal(0, 1, (2, 2, 2))
    slow = np.linspace(0, 2 * np.pi * rng.uniform(0.3, 1), len(angle))[:, None]
    radius = 1 + 0.35 * (np.sin(slow) * drift[0, 0] + np.cos(slow) * drift[0, 1])
    centre = 0.35 * (np.sin(slow) * drift[1, 0] + np.cos(slow) * drift[1, 1])
    return [np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius + centre]


def _star(rng):
    """A star in one line, as the pentagram."""
    points = rng.integers(5, 9)
    step = 2 if points < 7 else 3
    angle = 2 * np.pi * np.arange(points + 1) * step / points
    if math.gcd(step, points) > 1:
        angle = 2 * np.pi * np.arange(2 * points + 1) / (2 * points)
    radius = np.ones(len(angle))
    if len(angle) > points + 1:
        radius[1::2] = rng.uniform(0.3, 0.6)
    line = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
    return [line + rng.normal(0, 0.05, line.shape)]


def _asterisk(rng):
    """Lines through one point."""
    count = rng.integers(2, 6)
    angle = np.pi * np.arange(count) / count + rng.normal(0, 0.08, count)
    ends = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return [np.array([-end, end]) + rng.normal(0, 0.06, (2, 2)) for end in ends]


def _dots(rng):
    """Dots here and there, and short dashes."""
    long = rng.choice([0.02, 0.15])
    places = rng.random((rng.integers(2, 9), 2))
    return [place + rng.normal(0, long, (2, 2)) for place in places]


def _lines(rng):
    """A few straight lines in any direction, that meet or not."""
    return [rng.random((2, 2)) for _ in range(rng.integers(3, 7))]


def _arcs(rng):
    """A few curved lines in any direction."""
    strokes = []
    for _ in range(rng.integers(2, 6)):
        time = np.linspace(0, 1, 12)[:, None]
        start, through, end = rng.random((3, 2))
        strokes.append((1 - time) ** 2 * start + 2 * time * (1 - time) * through + time**2 * end)
    return strokes


_SCRIBBLES = (
    _tangle, _tangle, _tangle, _walk, _wander, _wander, _zigzag, _hatching, _spiral, _coil, _ball,
    _star, _asterisk, _dots, _lines, _arcs,
)  # fmt: skip
