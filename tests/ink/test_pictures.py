"""Grey pictures to MNIST's image: photographs, scans, screenshots and MNIST's own."""

import os
from collections import deque
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pynet.ink import picture_to_image, pictures, strokes_to_image
from pynet.ink.components import label_components
from pynet.ink.pens import pen_width, thicken

SEVEN = [[[10, 10], [60, 12], [30, 90]], [[20, 50], [52, 48]]]
THREE = [[[15, 20], [40, 5], [60, 25], [35, 45], [65, 65], [40, 92], [12, 78]]]


def drawn_large(strokes, *, side=280, pen=24):
    """Ink of a large drawing: 1 within the pen of the lines, 0 elsewhere; no smooth edges."""
    grid = np.arange(side) + 0.5
    ink = np.zeros((side, side))
    for stroke in strokes:
        points = np.array(stroke, dtype=float) * (side * 0.6 / 100) + side * 0.2
        for a, b in pairwise(points):
            for along in np.linspace(0, 1, 2 * side):
                x, y = a + along * (b - a)
                ink[(grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2 <= pen * pen / 4] = 1
    return ink


def similarity(one, other):
    """Correlation of two images."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.fixture(scope="module")
def three():
    """Ink of a large three."""
    return drawn_large(THREE)


@pytest.mark.parametrize("strokes", [SEVEN, THREE])
def test_a_large_drawing_equals_its_strokes(strokes):
    """A canvas as a picture and its strokes give nearly the same image."""
    image = picture_to_image(drawn_large(strokes))
    assert image.dtype == np.float32
    assert similarity(image, strokes_to_image(strokes)) > 0.95


def test_polarity_does_not_matter(three):
    """Dark on light and light on dark are the same ink."""
    np.testing.assert_allclose(picture_to_image(1 - three), picture_to_image(three), atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "white"),
    [(np.uint8, 255), (np.uint16, 65535), (np.int64, 255), (np.float32, 1), (np.float64, 255)],
)
def test_the_kind_of_number_does_not_matter(three, dtype, white):
    """Grey levels of any usual type and range give the same image."""
    image = picture_to_image((three * white).astype(dtype))
    np.testing.assert_allclose(image, picture_to_image(three.astype(bool)), atol=1e-6)


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.06])
@pytest.mark.parametrize("slope", [0.0, 0.15, 0.3])
def test_uneven_light_and_noise_are_taken_away(three, rng, dark, noise, slope):
    """A photograph of the same ink under uneven light gives nearly the same image."""
    y, x = np.meshgrid(np.linspace(-1, 1, 280), np.linspace(-1, 1, 280), indexing="ij")
    light = 0.65 + slope * (0.6 * x - 0.5 * y - 0.2 * x * x)
    photograph = light * (1 - 0.7 * three) + noise * rng.standard_normal(three.shape)
    photograph = np.clip(photograph if dark else 1 - photograph, 0, 1)
    image = picture_to_image((photograph * 255).astype(np.uint8))
    assert similarity(image, picture_to_image(three)) > 0.98
    assert np.count_nonzero(image[[0, 1, -2, -1]]) == 0


@pytest.mark.parametrize("pen", [1.5, 4, 8])
def test_thin_pens_are_drawn_wider(pen):
    """The line of a thin pen comes out about as wide as MNIST's thinner pens."""
    image = picture_to_image(drawn_large(SEVEN, pen=pen))
    assert image.sum() == pytest.approx(strokes_to_image(SEVEN, pen_width=2.0).sum(), rel=0.2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 12), st.floats(1.0, 4.0))
def test_an_image_of_mnist_comes_back(seed, count, width):
    """What strokes_to_image made is not changed, however often it is prepared again."""
    points = np.random.default_rng(seed).random((count, 2))
    image = strokes_to_image([points], pen_width=width)
    np.testing.assert_allclose(picture_to_image(image), image, atol=1 / 512)  # fainter is paper


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(60, 300))
def test_preparing_twice_is_preparing_once(seed, side):
    """The image of a large picture is a picture of itself."""
    points = np.random.default_rng(seed).random((4, 2)) * 100
    ink = drawn_large([points], side=side, pen=side / 12)
    image = picture_to_image(ink)
    np.testing.assert_allclose(picture_to_image(image), image, atol=0.02)


@pytest.mark.mnist
def test_real_images_of_mnist_come_back():
    """All but a few training images come back as they are; the others lose only dust."""
    from pynet.workshop.data import load_mnist

    images = load_mnist(os.environ["PYNET_DATA"]).train_images[:2000]
    change = np.array(
        [np.abs(picture_to_image(image) - image / image.max()).sum() for image in images]
    )
    assert np.mean(change < 0.01) > 0.95
    assert np.mean(change) < 0.5  # of about 100, the ink of an image


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (28, 28), (300, 200)])
@pytest.mark.parametrize("level", [0, 130, 255])
def test_blank_pictures_have_no_ink(shape, level):
    """Even paper, of any grey, gives zeros."""
    assert not picture_to_image(np.full(shape, level, dtype=np.uint8)).any()


@pytest.mark.parametrize("shape", [(28, 28), (100, 100), (400, 600)])
def test_noise_alone_has_no_ink(rng, shape):
    """Noise around an even grey is paper."""
    noise = 128 + 8 * rng.standard_normal(shape)
    assert not picture_to_image(noise.astype(np.uint8)).any()


def test_dust_is_left_out(three):
    """Specks far from the digit do not change its box."""
    dusty = three.copy()
    dusty[5:9, 5:9] = 1
    dusty[270, 200] = 1
    np.testing.assert_allclose(picture_to_image(dusty), picture_to_image(three), atol=1e-6)


def test_parts_of_a_digit_are_kept():
    """A stroke that does not touch the others is no dust."""
    flag = [[[20, 10], [60, 10]], [[20, 20], [20, 45], [50, 50], [50, 80], [20, 90]]]
    image = picture_to_image(drawn_large(flag, pen=12))
    assert similarity(image, strokes_to_image(flag)) > 0.9


def test_a_speck_stays_small():
    """A dot on a large sheet is not blown up to the whole box."""
    sheet = np.zeros((256, 256))
    sheet[100:105, 100:105] = 1
    image = picture_to_image(sheet)
    rows = np.flatnonzero(image.any(axis=1))
    assert 0 < np.ptp(rows) + 1 < 10


def test_one_pixel_is_ink():
    """A single pixel of a small picture is drawn and does not fail."""
    small = np.zeros((28, 28))
    small[3, 4] = 1
    assert picture_to_image(small).max() == 1


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)),
        hnp.arrays(
            np.float64,
            hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
            elements=st.floats(0, 255),
        ),
    )
)
def test_any_picture_gives_an_image(picture):
    """Whatever the grey levels: an image with values in [0, 1], full contrast or none."""
    image = picture_to_image(picture)
    assert image.shape == (28, 28)
    assert image.min() == 0
    assert image.max() in (0, 1)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((0, 5)), "1 to 100000000 pixels"),
        (np.zeros(784), "2-D"),
        (np.zeros((28, 28, 3)), r"got shape \(28, 28, 3\)"),
        ([[0, 1], [0]], "2-D"),
        ([["a"]], "2-D"),
        (np.array([[1j]]), "2-D"),
        (np.array([[0, np.nan]]), "finite"),
        (np.array([[0, np.inf]]), "finite"),
        (np.array([[-1.0, 0]]), r"0\.\.255, got -1"),
        (np.array([[0, 256]]), "got 0..256"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000)), "1 to 100000000 pixels"),
    ],
)
def test_bad_pictures_are_refused(picture, message):
    """What is no grey picture says what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        picture_to_image(picture)


@pytest.mark.parametrize("shape", [(300, 300), (257, 100), (1000, 3)])
def test_shrinking_equals_block_means(rng, shape):
    """Large pictures are averaged over blocks, the last ones smaller."""
    grey = rng.random(shape)
    factor = -(-max(shape) // 256)
    expected = [
        [grey[y : y + factor, x : x + factor].mean() for x in range(0, shape[1], factor)]
        for y in range(0, shape[0], factor)
    ]
    np.testing.assert_allclose(pictures._shrink(grey), expected, atol=1e-12)


@pytest.mark.parametrize("side", [1, 7, 20, 33, 256])
def test_area_weights_equal_supersampling(side):
    """Each pixel of the box is the mean of the fine samples of the source below it."""
    source = np.arange(side) + 1.0
    samples = 840  # of each pixel of the box
    fine = source[((np.arange(20 * samples) + 0.5) * side / (20 * samples)).astype(int)]
    expected = fine.reshape(20, samples).mean(axis=1)
    np.testing.assert_allclose(pictures._area_weights(side) @ source, expected, atol=side / samples)
    np.testing.assert_allclose(pictures._area_weights(side).sum(axis=1), 1)


def slow_labels(mask):
    """Flood each part from its first pixel."""
    labels = np.zeros(mask.shape, dtype=int)
    number = 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        number += 1
        labels[start] = number
        queue = deque([start])
        while queue:
            y, x = queue.popleft()
            for ny in range(max(y - 1, 0), min(y + 2, mask.shape[0])):
                for nx in range(max(x - 1, 0), min(x + 2, mask.shape[1])):
                    if mask[ny, nx] and not labels[ny, nx]:
                        labels[ny, nx] = number
                        queue.append((ny, nx))
    return labels


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24)))
def test_labels_equal_flooding(mask):
    """Runs joined by pairs are the parts that flooding finds, in the same order."""
    np.testing.assert_array_equal(label_components(mask), slow_labels(mask))


def test_labels_follow_a_spiral():
    """One part stays one part however long its way."""
    mask = np.zeros((61, 61), dtype=bool)
    y = x = 30
    for length, (dy, dx) in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)] * 7):
        for _ in range(2 * (length // 2 + 1)):
            mask[y, x] = True
            y, x = y + dy, x + dx
    assert label_components(mask).max() == 1


@pytest.mark.parametrize("radius", [0.0, 0.4, 1.0, 2.5])
def test_thickening_equals_the_slow_twin(rng, radius):
    """Each pixel is the largest value within the tip, its last pixel in part."""
    ink = rng.random((6, 9)) * (rng.random((6, 9)) < 0.3)
    thicker = thicken(ink, radius)
    margin = int(np.ceil(radius))
    expected = np.zeros_like(thicker)
    for row, column in np.ndindex(expected.shape):
        for y, x in np.ndindex(ink.shape):
            away = np.hypot(row - margin - y, column - margin - x)
            weight = min(max(radius + 1 - away, 0), 1)
            expected[row, column] = max(expected[row, column], weight * ink[y, x])
    np.testing.assert_allclose(thicker, expected, atol=1e-12)


@pytest.mark.parametrize("pen", [4, 8, 24])
def test_the_pen_is_measured(pen):
    """The estimate is within a sixth of the width that was drawn."""
    assert pen_width(drawn_large(THREE, pen=pen)) == pytest.approx(pen, rel=1 / 6)
