"""Write signs from their skeletons as hands and pens do: no two drawings are alike.

A `Scribe` bends, shakes and joins skeletons and follows them with a pen, whole batches at once as
arrays. Which signs there are is the business of `digits` and `letters`; grey levels are that of
`strokes`.
"""

from dataclasses import dataclass

import numpy as np

from pynet.ink.curves import matrices

_NEAR = 60.0  # percent of the height; strokes further apart are never joined


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
    proportion: float = 0.16  # of how far the middle moves up or down, in quarters of the height
    bow: float = 0.10  # of how far the middle moves sideways, in quarters of the height
    wave: float = 2.0  # of the amplitude of a wave through the digit
    aspect: float = 0.28  # of the logarithm of width over height ...
    aspect_mean: float = 0.08  # ... a little wider on average than the skeletons are
    slant: float = 0.22  # pixels of x for each pixel of y ...
    slant_mean: float = 0.08  # ... leaning to the right on average
    rotation: float = 6.0  # degrees
    tremor: float = 0.5  # of each point that the pen leaves
    hooked: float = 0.10  # share of ends of strokes with a hook where the pen lands or lifts
    hook: float = 6.0  # of its length, across and down
    joined: float = 0.05  # share of drawings whose pen is not lifted between strokes
    coarse: float = 0.12  # share of drawings whose pen was asked for its place too seldom
    gridded: float = 0.15  # share of drawings on a coarse grid of places


class Scribe:
    """Write signs from their skeletons, each time differently.

    Parameters
    ----------
    skeletons : sequence of S Skeleton
    habits : Habits, optional

    Notes
    -----
    `curves` says how the path leads through the points. Each hand takes its own mixture of round
    and straight, and of sharp and rounded corners. The amounts of `Habits`, tremor, hooks and the
    rest are our own.
    """

    def __init__(self, skeletons, habits=None):
        self.habits = habits or Habits()
        parts = [matrices(skeleton) for skeleton in skeletons]
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
        # Gamma variables over their sum are a Dirichlet distribution: here rather near one extreme.
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
        # Clipped, so that no end gets past its neighbour.
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


def _tilt(points, habits, rng):
    """Stretch, slant and turn each drawing (N, M, 2)."""
    aspect, slant, turn = _normal(rng, (3, len(points), 1))
    points = points - np.float32(50)
    points[:, :, 0] *= np.exp(habits.aspect * aspect + habits.aspect_mean)
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
