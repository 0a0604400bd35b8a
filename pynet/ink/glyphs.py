"""Draw digits as pen strokes, each differently, from the hand-made skeletons of `skeletons`.

A `Scribe` bends, shakes and joins skeletons as hands do and follows them with a pen; `draw` and
`images` have it write digits. Whole batches are drawn at once, as arrays.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from pynet.ink.skeletons import DIGITS, parse
from pynet.ink.strokes import strokes_to_images

STYLES = {label: tuple(name for name, *_ in styles) for label, styles in DIGITS.items()}

_STEP = 6.0  # percent of the height between the points that a pen leaves
_NEAR = 60.0  # percent of the height; strokes further apart are never joined
_ROUNDING = 2.0  # points; standard deviation of the Gaussian that rounds corners most


@dataclass(frozen=True)
class Habits:
    """How much hands differ; lengths in percent of the digit's height.

    Amounts are standard deviations unless they say otherwise; shares are of all drawings. The
    values were found by comparing with recorded digits and by what networks learn from them.
    """

    care: float = 0.45  # of the logarithm of the factor that multiplies what a careful hand avoids
    joint: float = 2.6  # of the points of the skeleton, each for itself
    shift: float = 2.5  # of whole strokes ...
    turn: float = 4.0  # ... in degrees ...
    size: float = 0.06  # ... and of the logarithm of their size
    ends: float = 0.12  # of how far strokes end early or late, in parts of their last stretch
    proportion: float = 0.16  # of how far the middle moves up or down, in parts of the height
    bow: float = 0.10  # of how far the middle moves sideways, in parts of the height
    wave: float = 2.0  # of the amplitude of a wave through the digit
    aspect: float = 0.29  # of the logarithm of width over height
    slant: float = 0.22  # pixels of x for each pixel of y ...
    slant_mean: float = 0.08  # ... leaning to the right on average
    rotation: float = 6.0  # degrees
    tremor: float = 0.5
    hooked: float = 0.10  # share of ends of strokes with a hook where the pen lands or lifts
    hook: float = 6.0
    joined: float = 0.05  # share of drawings whose pen is not lifted between strokes
    coarse: float = 0.12  # share of drawings whose pen was asked for its place too seldom
    gridded: float = 0.15  # share of drawings on a coarse grid of places
    pen: float = 2.4  # pixels of the 28-pixel frame; median width of the pen
    pen_spread: float = 0.28  # of the logarithm of the width


class Scribe:
    """Write signs from their skeletons, each time differently.

    Parameters
    ----------
    skeletons : sequence of S Skeleton
    habits : Habits, optional

    Notes
    -----
    The path through the points is a Catmull-Rom spline with centripetal knots, which does not
    loop between close points. Points between neighbours blend towards straight lines
    (angular hands), and the path is smoothed along its length (fast hands): strokes that
    overlap in time round off the corner between them, as in Plamondon's kinematic theory, for
    which the smoothing stands in. Skeletons, tremor and the shares of styles are our own.

    All of this is linear in the points, so that a few matrices for each skeleton do it.

    References
    ----------
    Catmull and Rom, "A class of local interpolating splines", Computer Aided Geometric Design,
    1974; Yuksel, Schaefer and Keyser, "Parameterization and applications of Catmull-Rom curves",
    Computer-Aided Design 43, 2011: centripetal knots.
    Plamondon, "A kinematic theory of rapid human movements", Biological Cybernetics 72, 1995.
    """

    def __init__(self, skeletons, habits=None):
        self.habits = habits or Habits()
        parts = [_prepare(skeleton) for skeleton in skeletons]
        extremes = max(len(skeleton.extremes) for skeleton in skeletons)
        knots = max(len(skeleton.corners) for skeleton in skeletons)
        samples = max(part["paths"].shape[1] for part in parts)
        count = len(skeletons)
        self._extremes = np.zeros((count, extremes, knots, 2), np.float32)
        self._alive = np.zeros((count, extremes), np.float32)
        self._stroke = np.zeros((count, knots), np.intp)
        self._centre = np.zeros((count, knots, knots), np.float32)
        self._ends = np.zeros((count, knots, knots), np.float32)
        self._paths = np.zeros((count, 4, samples, knots), np.float32)
        self._spans = [part["spans"] for part in parts]
        for at, (skeleton, part) in enumerate(zip(skeletons, parts, strict=True)):
            some, k = skeleton.extremes.shape[:2]
            self._extremes[at, :some, :k] = skeleton.extremes
            self._alive[at, :some] = 1
            self._stroke[at, :k] = skeleton.strokes
            self._centre[at, :k, :k] = part["centre"]
            self._ends[at, :k, :k] = part["ends"]
            self._paths[at, :, : part["paths"].shape[1], :k] = part["paths"]
        self._most_strokes = max(len(spans) for spans in self._spans)

    def draw(self, indexes, rng):
        """Draw the skeletons with these numbers.

        Parameters
        ----------
        indexes : (N,) array_like of int
        rng : numpy.random.Generator
            The only source of chance.

        Returns
        -------
        list of N lists of (n, 2) float32 ndarrays
            Strokes of each drawing: x to the right and y down, in about percent of the height.
        """
        indexes = np.asarray(indexes)
        care = np.exp(rng.normal(0, self.habits.care, (len(indexes), 1, 1))).astype(np.float32)
        points = self._bend(self._mix(indexes, rng), indexes, care, rng)
        points = self._follow(points, indexes, care, rng)
        points = _tilt(points, self.habits, rng)
        return self._lift(points, indexes, rng)

    def _mix(self, indexes, rng):
        """Points between the extremes and up to a fifth beyond, (N, K, 2)."""
        share = rng.standard_gamma(0.8, (len(indexes), self._alive.shape[1], 1)) + 1e-3
        share *= self._alive[indexes][:, :, None]
        share /= share.sum(axis=1, keepdims=True)
        even = self._alive[indexes] / self._alive[indexes].sum(axis=1, keepdims=True)
        share = 1.2 * share - 0.2 * even[:, :, None]
        return (self._extremes[indexes] * share[..., None].astype(np.float32)).sum(axis=1)

    def _bend(self, points, indexes, care, rng):
        """Move joints, strokes, ends and proportions of points (N, K, 2)."""
        habits, count = self.habits, len(points)
        points = points + habits.joint * care * _normal(rng, points.shape)
        # Whole strokes are moved, turned and made larger or smaller.
        moves = _normal(rng, (count, self._most_strokes, 4))
        moves = np.take_along_axis(moves, self._stroke[indexes][:, :, None], axis=1)
        moves *= care * np.array(
            [habits.shift, habits.shift, np.deg2rad(habits.turn), habits.size], np.float32
        )
        centre = self._centre[indexes] @ points
        arm = (points - centre) * np.exp(moves[:, :, 3:])
        points = centre + _turn(arm, moves[:, :, 2]) + moves[:, :, :2]
        ends = habits.ends * care * _normal(rng, (*points.shape[:2], 1))
        points += np.clip(ends, -0.4, 0.6) * (self._ends[indexes] @ points)
        # The proportions of the whole: parabolas that leave top and bottom where they are.
        down = points[:, :, 1:] / 100
        bump = 100 * down * (1 - down)
        points[:, :, 1:] += np.clip(habits.proportion * _normal(rng, care.shape), -0.5, 0.5) * bump
        points[:, :, :1] += habits.bow * _normal(rng, care.shape) * bump
        wave = _normal(rng, (count, 3, 2))
        angle = points[:, :, ::-1] / 100 * (np.pi * (1 + wave[:, :1] ** 2)) + 3 * wave[:, 1:2]
        return points + habits.wave * care * wave[:, 2:] * np.sin(angle)

    def _follow(self, points, indexes, care, rng):
        """Go along the points (N, K, 2) with the pen: (N, M, 2)."""
        straight = 0.8 * rng.random(len(points), dtype=np.float32) ** 3
        rounded = rng.random(len(points), dtype=np.float32) ** 1.5
        amounts = np.stack([
            (1 - straight) * (1 - rounded), straight * (1 - rounded),
            (1 - straight) * rounded, straight * rounded,
        ], axis=1)  # fmt: skip
        paths = np.einsum("nf,nfmk->nmk", amounts, self._paths[indexes])
        noise = _normal(rng, (len(points), paths.shape[1] + 4, 2))
        noise = noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:]
        noise = noise[:, :-2] + noise[:, 1:-1] + noise[:, 2:]
        # The weights 1 2 3 2 1 of the noise have a norm of sqrt(19).
        return paths @ points + self.habits.tremor * care / np.sqrt(np.float32(19)) * noise

    def _lift(self, points, indexes, rng):
        """Cut (N, M, 2) points into strokes, as the pen and what recorded it left them."""
        habits, count = self.habits, len(points)
        chance = rng.random((3, count))
        grid = np.exp(rng.normal(np.log(5.0), 0.35, count))
        skip = rng.integers(2, 5, count)
        hooks = rng.random((count, self._most_strokes, 2)) < habits.hooked
        hook = habits.hook * _normal(rng, (count, self._most_strokes, 2, 2))
        for at in np.flatnonzero(chance[0] < habits.gridded):
            points[at] = np.round(points[at] / grid[at]) * grid[at]
        drawings = []
        for at, (index, joined, coarse) in enumerate(
            zip(indexes.tolist(), chance[1] < habits.joined, chance[2] < habits.coarse, strict=True)
        ):
            path = points[at]
            strokes = [path[first:last] for first, last in self._spans[index]]
            if coarse:
                strokes = [_thin(stroke, skip[at]) for stroke in strokes]
            if hooks[at].any():
                strokes = [
                    _hook(stroke, hooks[at, number], hook[at, number])
                    for number, stroke in enumerate(strokes)
                ]
            if joined:
                strokes = _join(strokes)
            drawings.append(strokes)
        return drawings


def _prepare(skeleton):
    """Matrices of one skeleton that the distortions of a `Scribe` are made of."""
    count = len(skeleton.corners)
    middle = skeleton.extremes.mean(axis=0)
    centre, ends = np.zeros((2, count, count))
    curves, lines, spans, at = [], [], [], 0
    for number in range(skeleton.strokes[-1] + 1):
        knots = np.flatnonzero(skeleton.strokes == number)
        centre[np.ix_(knots, knots)] = 1 / len(knots)
        for end, inner in ((knots[0], knots[1]), (knots[-1], knots[-2])):
            ends[end, [end, inner]] = 1, -1
        curve, line = _interpolate(middle[knots], skeleton.corners[knots])
        spans.append((at, at + len(curve)))
        at += len(curve)
        smoother = _smoother(len(curve))
        whole = np.eye(count)[knots]
        curves.append((curve @ whole, smoother @ curve @ whole))
        lines.append((line @ whole, smoother @ line @ whole))
    paths = [
        np.concatenate([parts[smooth] for parts in kind])
        for smooth in (0, 1)
        for kind in (curves, lines)
    ]
    return {"centre": centre, "ends": ends, "paths": np.array(paths), "spans": spans}


def _interpolate(points, corners):
    """Matrices from the K points of a stroke to M points of its curve and of its lines, (M, K)."""
    count = len(points)
    gaps = np.maximum(np.sqrt(((points[1:] - points[:-1]) ** 2).sum(axis=1)), 1.0)
    speed = np.sqrt(gaps)  # centripetal: the knots are as far apart as the roots of the chords
    identity = np.eye(count)
    curves, lines = [], []
    for at in range(count - 1):
        first, last = identity[at], identity[at + 1]
        chord = (last - first) / speed[at]
        leave, arrive = chord, chord  # ends and corners have no neighbour on their other side
        if at > 0 and not corners[at]:
            leave = _tangent(identity[at - 1 : at + 2], speed[at - 1], speed[at])
        if at < count - 2 and not corners[at + 1]:
            arrive = _tangent(identity[at : at + 3], speed[at], speed[at + 1])
        steps = max(round(gaps[at] / _STEP), 2)
        t = (np.arange(steps + (at == count - 2)) / steps)[:, None]
        lines.append((1 - t) * first + t * last)
        # Cubic Hermite polynomials; tangents are for each knot's unit, so times the length.
        curves.append(
            (1 + 2 * t) * (1 - t) ** 2 * first + t**2 * (3 - 2 * t) * last
            + t * (1 - t) ** 2 * speed[at] * leave - t**2 * (1 - t) * speed[at] * arrive
        )  # fmt: skip
    return np.concatenate(curves), np.concatenate(lines)


def _tangent(three, before, after):
    """Derivative at the middle of three points whose knots are so far apart."""
    first, middle, last = three
    return (middle - first) / before - (last - first) / (before + after) + (last - middle) / after


def _smoother(count):
    """Gaussian along a stroke of so many points that leaves its two ends in place, (M, M)."""
    steps = np.arange(count)
    width = np.minimum(_ROUNDING, np.minimum(steps, count - 1 - steps) / 2) + 1e-3
    weights = np.exp(-((steps - steps[:, None]) ** 2) / (2 * width[:, None] ** 2))
    return weights / weights.sum(axis=1, keepdims=True)


def _tilt(points, habits, rng):
    """Stretch, slant and turn each drawing (N, M, 2)."""
    aspect, slant, turn = _normal(rng, (3, len(points), 1))
    points = points - np.float32(50)
    points[:, :, 0] *= np.exp(habits.aspect * aspect)
    points[:, :, 0] -= (habits.slant * slant + habits.slant_mean) * points[:, :, 1]
    return _turn(points, np.deg2rad(np.float32(habits.rotation)) * turn) + np.float32(50)


def _turn(points, angle):
    """Turn points (N, K, 2) by angles (N, K) or (N, 1) in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    x, y = points[:, :, 0], points[:, :, 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=2)


def _thin(stroke, step):
    """Keep every so manieth point and the last."""
    return np.concatenate([stroke[:-1:step], stroke[-1:]])


def _hook(stroke, at_ends, hooks):
    """Add a hook at the start, at the end or at both."""
    if at_ends[0]:
        stroke = np.concatenate([stroke[:1] + hooks[:1], stroke])
    if at_ends[1]:
        stroke = np.concatenate([stroke, stroke[-1:] + hooks[1:]])
    return stroke


def _join(strokes):
    """Leave the pen on the paper on its way to the next stroke where that is near."""
    joined = strokes[:1]
    for stroke in strokes[1:]:
        if np.abs(stroke[0] - joined[-1][-1]).max() < _NEAR:
            joined[-1] = np.concatenate([joined[-1], stroke])
        else:
            joined.append(stroke)
    return joined


def _normal(rng, shape):
    """Return standard normal float32 numbers."""
    return rng.standard_normal(shape, dtype=np.float32)


@cache
def _digits():
    """The scribe of all digits, and of each label the numbers and shares of its styles."""
    skeletons, choices = [], {}
    for label, styles in DIGITS.items():
        first = len(skeletons)
        skeletons += [parse(*extremes) for _, _, *extremes in styles]
        shares = np.array([share for _, share, *_ in styles])
        choices[label] = first, np.cumsum(shares) / shares.sum()
    return Scribe(skeletons), choices


def draw(labels, *, rng, style=None):
    """Draw digits as pen strokes, each in a style and by a hand of its own.

    Parameters
    ----------
    labels : (N,) array_like of int
        What to draw, 0 to 9.
    rng : numpy.random.Generator
        The only source of chance: the same state and labels give the same strokes.
    style : str, optional
        Name of the one style to use, out of `STYLES` of each label; by default styles come as
        often as `skeletons.DIGITS` says.

    Returns
    -------
    list of N lists of (n, 2) float32 ndarrays
        Strokes of each digit, in order: x to the right and y down, about 100 high.

    Raises
    ------
    ValueError
        For labels that are no digits, or a style that a label does not have.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(
            f"labels must be a list of digits, got shape {labels.shape} of {labels.dtype}"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() <= 9):
        raise ValueError(f"labels must be in 0..9, got {labels.min()}..{labels.max()}")
    scribe, choices = _digits()
    chance = rng.random(len(labels))
    indexes = np.empty(len(labels), np.intp)
    for label in np.unique(labels).tolist():
        first, shares = choices[label]
        chosen = labels == label
        if style is None:
            number = np.searchsorted(shares, chance[chosen], side="right")
        elif style in STYLES[label]:
            number = STYLES[label].index(style)
        else:
            names = ", ".join(STYLES[label])
            raise ValueError(f"style of {label} must be one of {names}, got {style!r}")
        indexes[chosen] = first + number
    return scribe.draw(indexes, rng)


def images(labels, *, rng, style=None):
    """Draw digits as MNIST would hold them, each also with a pen of its own width.

    Parameters
    ----------
    labels, rng, style
        As in `draw`.

    Returns
    -------
    (N, 28, 28) float32 ndarray
        Ink in [0, 1], 0 background.

    Raises
    ------
    ValueError
        As in `draw`.
    """
    drawings = draw(labels, rng=rng, style=style)
    return strokes_to_images(drawings, pen_width=pen_widths(len(drawings), rng))


def pen_widths(count, rng):
    """Draw widths of pens, (count,) float64 in pixels of the 28-pixel frame."""
    habits = Habits()
    return np.clip(habits.pen * np.exp(rng.normal(0, habits.pen_spread, count)), 1.3, 6.0)
