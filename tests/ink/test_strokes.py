"""Pen strokes to MNIST's image: against a slow twin, and what must hold for any drawing."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pynet.ink import strokes, strokes_to_image, strokes_to_images

SEVEN = [[[10, 10], [60, 12], [30, 90]], [[20, 50], [52, 48]]]
ZERO = [[[50 + 30 * math.cos(a / 9), 50 + 45 * math.sin(a / 9)] for a in range(58)]]
I_WITH_DOT = [[[5, 20], [7, 80]], [[6, 5]]]

coordinate = st.integers(0, 300)
stroke = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=12)
drawing = st.lists(stroke, min_size=1, max_size=4)


def slow_image(drawn, pen_width):
    """Draw pixel by pixel and segment by segment, with plain Python numbers."""
    xs = [x for part in drawn for x, _ in part]
    ys = [y for part in drawn for _, y in part]
    extent = max(max(xs) - min(xs), max(ys) - min(ys))
    room = 20 - pen_width - (strokes.SOFTNESS - 1)
    scale = room / extent if extent else 0
    middle = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2

    def moved(point):
        return [(value - centre) * scale + 10 for value, centre in zip(point, middle, strict=True)]

    box = [[0.0] * 20 for _ in range(20)]
    for part in drawn:
        path = [moved(point) for point in part]
        for (ax, ay), (bx, by) in zip(path, path[1:] or path, strict=False):
            for row in range(20):
                for column in range(20):
                    px, py = column + 0.5 - ax, row + 0.5 - ay
                    length = (bx - ax) ** 2 + (by - ay) ** 2
                    along = (px * (bx - ax) + py * (by - ay)) / length if length else 0
                    along = min(max(along, 0), 1)
                    distance = math.hypot(px - along * (bx - ax), py - along * (by - ay))
                    grey = 0.5 + (pen_width / 2 - distance) / strokes.SOFTNESS
                    box[row][column] = max(box[row][column], min(max(grey, 0), 1))
    mass = sum(map(sum, box))
    across = sum(box[r][c] * (c + 0.5) for r in range(20) for c in range(20)) / mass
    down = sum(box[r][c] * (r + 0.5) for r in range(20) for c in range(20)) / mass
    left = min(max(math.floor(15 - across + 5e-7), 0), 8)
    top = min(max(math.floor(15 - down + 5e-7), 0), 8)
    image = np.zeros((28, 28))
    image[top : top + 20, left : left + 20] = np.array(box) / max(map(max, box))
    return image


def centre_of_mass(image):
    """Centre of mass (x, y), pixel centres at +0.5."""
    grid = np.arange(28) + 0.5
    image = image.astype(np.float64)
    return (image.sum(axis=0) @ grid) / image.sum(), (image.sum(axis=1) @ grid) / image.sum()


def extent(image):
    """Height and width of the ink in pixels."""
    rows, columns = np.nonzero(image > 0)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


@pytest.mark.parametrize("pen_width", [0.4, 1.0, strokes.PEN_WIDTH, 4.7, 10.0])
@pytest.mark.parametrize("drawn", [SEVEN, ZERO, I_WITH_DOT, [[[3, 3]]]])
def test_equals_the_slow_twin(drawn, pen_width):
    """The windows around short pieces give what all pixels against all segments give."""
    image = strokes_to_image(drawn, pen_width=pen_width)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, slow_image(drawn, pen_width), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(drawing)
@example([[(0, 0), (300, 0), (300, 300), (0, 300), (0, 0)]])
def test_equals_the_slow_twin_for_any_drawing(drawn):
    """The fast drawing and its twin agree on whatever is drawn."""
    expected = slow_image(drawn, strokes.PEN_WIDTH)
    np.testing.assert_allclose(strokes_to_image(drawn), expected, atol=1e-6)


def test_ink_equals_the_area_of_the_pen(monkeypatch):
    """With a ramp of one pixel, the sum of grey is the area that a supersampled pen covers."""
    monkeypatch.setattr(strokes, "SOFTNESS", 1.0)
    image = strokes_to_image(SEVEN, pen_width=2.0)
    path = (np.concatenate([np.array(part, dtype=float) for part in SEVEN]) - [35, 50]) * (18 / 80)
    fine = (np.arange(20 * 16) + 0.5) / 16 - 10
    covered = np.zeros((320, 320), dtype=bool)
    for a, b in [(0, 1), (1, 2), (3, 4)]:
        for along in np.linspace(0, 1, 400):
            x, y = path[a] + along * (path[b] - path[a])
            covered |= (fine[None, :] - x) ** 2 + (fine[:, None] - y) ** 2 <= 1
    area = covered.sum() / 256
    assert image.sum() == pytest.approx(area, rel=0.03)


@settings(max_examples=150, deadline=None)
@given(drawing)
def test_any_drawing_is_an_image_of_mnist(drawn):
    """Grey levels fill [0, 1]; the ink keeps to 20 pixels; its mass lies where MNIST's does."""
    image = strokes_to_image(drawn)
    assert image.shape == (28, 28)
    assert image.min() == 0
    assert image.max() == 1
    assert max(extent(image)) <= 20
    rows, columns = np.nonzero(image > 0)
    for centre, places in zip(centre_of_mass(image), (columns, rows), strict=True):
        middle = (places.min() + places.max() + 1) / 2
        # Ink so lopsided that its box would leave the frame stops at the frame's edge instead.
        if centre <= 14 - 1e-5:
            assert middle == pytest.approx(8 + 10, abs=1)
        elif centre > 15 + 1e-5:
            assert middle == pytest.approx(0 + 10, abs=1)


@settings(max_examples=150, deadline=None)
@given(drawing, st.integers(-4000, 4000), st.integers(-4000, 4000), st.floats(1e-3, 1e3))
def test_place_and_size_of_the_drawing_do_not_matter(drawn, right, down, scale):
    """The same lines, moved and scaled, give the same image."""
    moved = [[((x + right) * scale, (y + down) * scale) for x, y in part] for part in drawn]
    np.testing.assert_allclose(strokes_to_image(moved), strokes_to_image(drawn), atol=1e-4)


@settings(max_examples=150, deadline=None)
@given(drawing)
def test_order_and_direction_do_not_matter(drawn):
    """The last stroke first, and each from its end, give the same image."""
    backwards = [part[::-1] for part in drawn[::-1]]
    np.testing.assert_allclose(strokes_to_image(backwards), strokes_to_image(drawn), atol=1e-5)


@settings(max_examples=100, deadline=None)
@given(drawing)
def test_points_on_the_line_do_not_matter(drawn):
    """Repeating points, or adding the middle of each segment, changes nothing."""
    denser = []
    for part in drawn:
        path = [part[0]]
        for (ax, ay), (bx, by) in pairwise(part):
            path += [((ax + bx) / 2, (ay + by) / 2), (bx, by), (bx, by)]
        denser.append(path)
    np.testing.assert_allclose(strokes_to_image(denser), strokes_to_image(drawn), atol=1e-5)


finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.tuples(finite, finite), max_size=6), max_size=3))
@example([[(1.7e308, -1.7e308), (-1.7e308, 1.7e308)]])
@example([[(5e-324, 0.0), (0.0, 5e-324)]])
@example([[(1.0, 1e-320), (1.0, 0.0)]])
def test_finite_numbers_never_fail(drawn):
    """Whatever the size of the numbers: an image, and no warning."""
    image = strokes_to_image(drawn)
    assert np.isfinite(image).all()
    assert image.max() == (1 if any(drawn) else 0)


def test_a_vertical_line_looks_like_the_one_of_mnist():
    """A one is 20 pixels high and as wide as the pen."""
    image = strokes_to_image([[[7, 1], [7, 9]]])
    assert extent(image) == (20, 4)
    assert image.sum(axis=1)[4:24].mean() == pytest.approx(strokes.PEN_WIDTH, rel=0.05)


def test_a_horizontal_line_lies_20_pixels_wide():
    """A dash keeps its aspect."""
    assert extent(strokes_to_image([[[0, 0], [1, 0]]])) == (4, 20)


@pytest.mark.parametrize(
    "drawn", [[[[5, 5]]], [[[5, 5], [5, 5]]], [[[0, 0]]], [[[0.1 + 0.2, 0.3], [0.3, 0.3]]]]
)
def test_a_tap_stays_a_dot(drawn):
    """A single place is a dot of the pen's width in the middle, not a blob."""
    image = strokes_to_image(drawn)
    assert extent(image) == (4, 4)
    assert 3 < image.sum() < 6  # square pixels
    assert centre_of_mass(image) == pytest.approx((15, 15))


def test_a_shaky_tap_stays_a_dot_with_a_least_side():
    """What is smaller than min_side is not blown up; what is larger is not changed."""
    shaky = [[[100, 100], [102, 101], [100, 102]]]
    assert max(extent(strokes_to_image(shaky))) == 20
    assert max(extent(strokes_to_image(shaky, min_side=40))) <= 6
    assert np.array_equal(strokes_to_image(SEVEN, min_side=40), strokes_to_image(SEVEN))


@pytest.mark.parametrize("drawn", [[], [[]], [[], []], [np.zeros((0, 2))], ()])
def test_no_ink_is_an_empty_image(drawn):
    """An empty pad gives zeros."""
    assert not strokes_to_image(drawn).any()


def test_many_drawings_at_once_equal_one_by_one(rng):
    """A batch, with pen widths of its own and empty drawings in it, changes no image."""
    drawings = [SEVEN, [], ZERO, I_WITH_DOT, [[]], [rng.random((40, 2))]]
    width = np.linspace(1, 4, len(drawings))
    images = strokes_to_images(drawings, pen_width=width)
    for image, drawn, pen_width in zip(images, drawings, width, strict=True):
        alone = strokes_to_image(drawn, pen_width=pen_width)
        np.testing.assert_allclose(image, alone, atol=1e-6)
    assert strokes_to_images([]).shape == (0, 28, 28)


def test_lines_of_thousands_of_points_keep_their_place():
    """Leaving out close points changes a smooth line by less than three grey levels."""
    turn = np.linspace(0, 2 * np.pi, 400)
    coarse = [np.stack([np.cos(turn), 1.5 * np.sin(turn)], axis=1)]
    turn = np.linspace(0, 2 * np.pi, 20_000)
    fine = [np.stack([np.cos(turn), 1.5 * np.sin(turn)], axis=1)]
    np.testing.assert_allclose(strokes_to_image(fine), strokes_to_image(coarse), atol=3 / 255)


def test_thinning_keeps_the_ends_of_every_stroke(rng):
    """Dots between thousands of other points are still drawn."""
    crowd = [np.stack([np.linspace(0, 1, 3000), np.zeros(3000)], axis=1), [[0.5, 1.0]]]
    image = strokes_to_image(crowd)
    plain = strokes_to_image([[[0, 0], [1, 0]], [[0.5, 1.0]]])
    np.testing.assert_allclose(image, plain, atol=1e-5)


@pytest.mark.parametrize(
    ("drawn", "message"),
    [
        ([[[0, 0], [1, float("nan")]]], "finite"),
        ([[[0, float("inf")]]], "finite"),
        ([[0, 0], [1, 1]], r"pairs of numbers, got shape \(2,\)"),
        ([[[0, 0, 0]]], r"got shape \(1, 3\)"),
        ([[[0, 0], [1]]], "pairs of numbers"),
        ([[["0", "1"]]], "pairs of numbers"),
        ([[[None, 1]]], "pairs of numbers"),
        ([[[1j, 1]]], "pairs of numbers"),
        ([np.zeros((strokes.MAX_POINTS + 1, 2))], "100000 points, got 100001"),
        (7, "sequence of strokes, got int"),
        ([3], r"got shape \(\)"),
    ],
)
def test_bad_strokes_are_refused(drawn, message):
    """What is not ink says what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        strokes_to_image(drawn)


@pytest.mark.parametrize("pen_width", [0, -1, 10.5, float("nan"), [1, 2], "wide"])
def test_bad_pen_widths_are_refused(pen_width):
    """A pen width is in (0, 10]."""
    with pytest.raises(ValueError, match="pen_width"):
        strokes_to_image(SEVEN, pen_width=pen_width)


@pytest.mark.parametrize("min_side", [-1, float("nan"), float("inf")])
def test_bad_least_sides_are_refused(min_side):
    """A least side is a finite number from 0."""
    with pytest.raises(ValueError, match="min_side"):
        strokes_to_image(SEVEN, min_side=min_side)
