"""The matrices of a skeleton: against a slow twin, and what a scribe relies on."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynet.ink.curves import matrices
from pynet.ink.digits import DIGITS
from pynet.ink.skeletons import parse

SKELETONS = [parse(extreme) for styles in DIGITS.values() for _, _, *all_ in styles
             for extreme in all_]  # fmt: skip

place = st.tuples(st.integers(-40, 120), st.integers(-40, 120), st.booleans())
stroke = st.lists(place, min_size=2, max_size=6).filter(
    # Points that coincide have no direction; the matrices then take them for 1 percent apart.
    lambda points: all(a[:2] != b[:2] for a, b in pairwise(points))
)


def between(p, q, from_, to, t):
    """Go in a straight line from p at one time to q at another."""
    return ((to - t) * p + (t - from_) * q) / (to - from_)


def pyramid(p, k, t):
    """Catmull-Rom curve through four points with their knots, as Barry and Goldman (1988) do it."""
    a = [between(p[i], p[i + 1], k[i], k[i + 1], t) for i in range(3)]
    b = [between(a[i], a[i + 1], k[i], k[i + 2], t) for i in range(2)]
    return between(b[0], b[1], k[1], k[2], t)


def test_the_smooth_path_is_the_catmull_rom_curve():
    """Between inner points without corners it equals the pyramid on the same four points."""
    compared = 0
    for skeleton in SKELETONS[::9]:
        points = skeleton.extremes[0]
        parts = matrices(skeleton)
        path = parts["paths"][0] @ points
        for number, (start, _) in enumerate(parts["spans"]):
            knots = np.flatnonzero(skeleton.strokes == number)
            for k in knots[:-1]:
                steps = max(round(np.linalg.norm(points[k + 1] - points[k]) / 6), 2)
                inner = k > knots[0] and k + 1 < knots[-1]
                if inner and not skeleton.corners[[k, k + 1]].any():
                    four = points[k - 1 : k + 3]
                    chords = np.linalg.norm(np.diff(four, axis=0), axis=1)
                    times = np.concatenate([[0], np.cumsum(np.sqrt(chords))])
                    for step in range(steps):
                        t = times[1] + (times[2] - times[1]) * step / steps
                        np.testing.assert_allclose(path[start + step], pyramid(four, times, t))
                    compared += steps
                start += steps
    assert compared > 300


@given(st.lists(stroke, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_paths_go_through_all_points(strokes):
    """Curve and lines pass every point; rounding moves neither first nor last."""
    text = " ; ".join(
        " ".join(f"{x},{y}" + "!" * corner for x, y, corner in points) for points in strokes
    )
    skeleton = parse(text)
    parts = matrices(skeleton)
    curve, line, round_curve, round_line = parts["paths"] @ skeleton.extremes[0]
    for path in (curve, line):
        for point in skeleton.extremes[0]:
            assert np.linalg.norm(path - point, axis=1).min() < 1e-9
    for (first, last), points in zip(parts["spans"], strokes, strict=True):
        for path in (curve, line, round_curve, round_line):
            np.testing.assert_allclose(path[first], points[0][:2], atol=1e-9)
            np.testing.assert_allclose(path[last - 1], points[-1][:2], atol=1e-9)


@pytest.mark.parametrize("at", range(0, len(SKELETONS), 20))
def test_every_point_of_a_path_is_a_mean_of_the_skeleton(at):
    """Rows sum to 1, so that moving all points moves the path as much."""
    for path in matrices(SKELETONS[at])["paths"]:
        np.testing.assert_allclose(path.sum(axis=1), 1)


def test_centre_and_ends_of_each_stroke():
    """The means of two strokes, and the stretches at their four ends, worked out by hand."""
    skeleton = parse("0,0 30,0 30,60 ; 10,10 50,90")
    parts, points = matrices(skeleton), skeleton.extremes[0]
    np.testing.assert_allclose(parts["centre"] @ points, [[20, 20]] * 3 + [[30, 50]] * 2)
    expected = [[-30, 0], [0, 0], [0, 60], [-40, -80], [40, 80]]
    np.testing.assert_allclose(parts["ends"] @ points, expected)


def test_rounding_cuts_a_corner_and_leaves_a_line_straight():
    """The rounded path stays inside the corner, and on a straight stroke it stays on it."""
    skeleton = parse("0,0 0,60! 60,60")
    paths = matrices(skeleton)["paths"] @ skeleton.extremes[0]
    corner = np.array([0, 60])
    assert np.linalg.norm(paths[0] - corner, axis=1).min() == pytest.approx(0, abs=1e-9)
    assert 4 < np.linalg.norm(paths[2] - corner, axis=1).min() < 15
    straight = parse("0,0 20,20 50,50 90,90")
    for path in matrices(straight)["paths"] @ straight.extremes[0]:
        np.testing.assert_allclose(path[:, 0], path[:, 1], atol=1e-9)
