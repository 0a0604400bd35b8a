"""The way of a pen through the points of a skeleton, as matrices.

Smooth or angular, with sharp corners or rounded: all of it is linear in the points, so that one
product with a matrix draws a stroke, and products for many drawings are done at once.
"""

import numpy as np

_STEP = 6.0  # percent of the height between the points that a pen leaves
_ROUNDING = 2.0  # points; standard deviation of the Gaussian that rounds corners


def matrices(skeleton):
    """Make the matrices that turn the K points of a skeleton into what a `Scribe` needs of them.

    Parameters
    ----------
    skeleton : Skeleton

    Returns
    -------
    dict
        "centre" (K, K): of each point's stroke the mean of the points; "ends" (K, K): from the
        last but one point of a stroke to its last, at both ends, and 0 elsewhere; "paths"
        (4, M, K): M points along the smooth curve, along straight lines, and along the same two
        with rounded corners; "spans": of each stroke the first of these M and the one after its
        last.

    Notes
    -----
    The smooth curve is a Catmull-Rom spline with centripetal knots, which makes no loops or
    cusps between close points. Rounding smooths along the stroke: in Plamondon's theory a
    movement is a sum of strokes that overlap in time, the more the faster the hand, and what
    overlaps rounds off the corner between them. The Gaussian stands in for that; the velocity
    of the pen is not modelled.

    References
    ----------
    Catmull and Rom, "A class of local interpolating splines", in Computer Aided Geometric
    Design, 1974.
    Yuksel, Schaefer and Keyser, "Parameterization and applications of Catmull-Rom curves",
    Computer-Aided Design 43, 2011: centripetal knots.
    Plamondon, "A kinematic theory of rapid human movements, part I", Biological Cybernetics 72,
    1995.
    """
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
