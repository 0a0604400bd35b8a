"""Distortion of images, compared with slow twins that follow the definitions pixel by pixel."""

import math

import numpy as np
import pytest
from workshop.samples import digits

from pynet.workshop import augment
from pynet.workshop.augment import Augmenter

EVERYTHING = Augmenter(
    rotation=20, scale=0.2, shear=0.3, shift=3, elastic=1.5, smoothness=4, thickness=0.8
)


def slow_sample(image, y, x):
    """Read a (28, 28) image at one fractional place, bilinearly; outside is 0."""
    top, left = math.floor(y), math.floor(x)
    total = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < 28 and 0 <= column < 28:
                total += (1 - abs(y - row)) * (1 - abs(x - column)) * image[row, column]
    return total


def slow_pen(image, blend):
    """Blend an image with the largest or smallest of each pixel and its four neighbours."""
    wide = np.pad(image, 1)
    result = np.zeros((30, 30))
    for row in range(30):
        for column in range(30):
            near = [wide[row, column]]
            for r, c in (
                (row - 1, column),
                (row + 1, column),
                (row, column - 1),
                (row, column + 1),
            ):
                near.append(wide[r, c] if 0 <= r < 30 and 0 <= c < 30 else 0)
            extreme = max(near) if blend > 0 else min(near)
            result[row, column] = wide[row, column] + abs(blend) * (extreme - wide[row, column])
    return result


def test_sampling(rng):
    """The gathers give what bilinear interpolation is, inside and far outside."""
    images = rng.random((3, 28, 28)).astype(np.float32)
    coordinates = rng.uniform(-6, 34, (3, 2, 28, 28)).astype(np.float32)
    coordinates[0, :, 0, :8] = [[0, 27, -1, 28, -0.5, 27.5, 26.999, 1e6], [5] * 8]
    out = np.empty((3, 28, 28), np.float32)
    augment.sample(augment.pad(images), coordinates.copy(), out)
    expected = [
        [[slow_sample(image, *place[:, r, c]) for c in range(28)] for r in range(28)]
        for image, place in zip(images, coordinates.astype(np.float64), strict=True)
    ]
    np.testing.assert_allclose(out, expected, atol=2e-5)


def test_affine_coordinates(rng):
    """Each pixel reads at matrix @ (p - centre) + centre + offset."""
    matrices = rng.standard_normal((2, 2, 2)).astype(np.float32)
    offsets = rng.standard_normal((2, 2)).astype(np.float32)
    fast = augment.affine_coordinates(matrices, offsets)
    for number in range(2):
        for row, column in ((0, 0), (3, 20), (27, 27)):
            place = matrices[number] @ (np.array([row, column]) - 13.5) + 13.5 + offsets[number]
            np.testing.assert_allclose(fast[number, :, row, column], place, atol=1e-4)


@pytest.mark.parametrize("blend", [0.7, -0.4, 0.0])
def test_pen_width(rng, blend):
    """Dilation and erosion are those of the pixel and its four neighbours."""
    image = rng.random((28, 28)).astype(np.float32)
    blends = np.full((1, 1, 1), blend, np.float32)
    fast = augment.change_pen_width(augment.pad(image[None]), blends)[0, 1:-1, 1:-1]
    np.testing.assert_allclose(fast, slow_pen(image.astype(np.float64), blend), atol=1e-6)


def test_elastic_field(rng):
    """The displacement is smooth at the asked scale and has unit variance at every pixel."""
    noise = rng.random((4000, 28, 28), dtype=np.float32)
    field = augment.smooth(noise, 4.0)
    assert abs(field.mean()) < 0.02
    np.testing.assert_allclose(field.std(axis=0), 1, atol=0.06)
    # Gaussian smoothing by s makes neighbours d apart correlate by exp(-d^2 / (4 s^2)).
    middle = field[:, 14, :]
    for distance in (2, 4, 8):
        measured = (middle[:, 10] * middle[:, 10 + distance]).mean()
        assert abs(measured - math.exp(-(distance**2) / 64)) < 0.06


def test_rotation_turns(rng):
    """A quarter turn of an image is found among what rotation by up to 90 degrees may give."""
    image = np.zeros((1, 28, 28), np.float32)
    image[0, 5:23, 13:15] = 1
    matrix = np.array([[[0, 1], [-1, 0]]], np.float32)
    out = np.empty((1, 28, 28), np.float32)
    places = augment.affine_coordinates(matrix, np.zeros((1, 2), np.float32))
    augment.sample(augment.pad(image), places, out)
    np.testing.assert_allclose(out[0], np.rot90(image[0]), atol=1e-5)


def test_nothing_asked_nothing_done():
    """Without amounts the images come back as they are, as floats."""
    images, _ = digits(5)
    result = Augmenter()(images, np.random.default_rng(0))
    np.testing.assert_allclose(result, images / 255, atol=1e-6)


def test_bytes_and_floats_alike():
    """uint8 images and the same as floats give the same."""
    images, _ = digits(40)
    first = EVERYTHING(images, np.random.default_rng(1))
    second = EVERYTHING((images / np.float32(255)).astype(np.float32), np.random.default_rng(1))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_range_shape_and_seed():
    """Results are float32 in [0, 1], differ image by image, and depend on the generator alone."""
    images, _ = digits(1)
    images = np.repeat(images, 100, axis=0)
    kept = images.copy()
    result = EVERYTHING(images, np.random.default_rng(7))
    assert result.dtype == np.float32
    assert result.shape == (100, 28, 28)
    assert result.min() >= 0
    assert result.max() <= 1 + 1e-6
    assert len(np.unique(result.reshape(100, -1), axis=0)) == 100
    np.testing.assert_array_equal(images, kept)
    np.testing.assert_array_equal(result, EVERYTHING(images, np.random.default_rng(7)))
    assert not np.array_equal(result, EVERYTHING(images, np.random.default_rng(8)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rotation": -1}, "rotation must be a number >= 0"),
        ({"shift": math.nan}, "shift must be a number"),
        ({"thickness": 1.5}, r"thickness must be in \[0, 1\]"),
        ({"smoothness": 0}, "smoothness must be above 0"),
    ],
)
def test_wrong_amounts(arguments, message):
    """Amounts that make no sense are refused."""
    with pytest.raises(ValueError, match=message):
        Augmenter(**arguments)


def test_wrong_shape(rng):
    """Only 28x28 images are taken."""
    with pytest.raises(ValueError, match=r"expected images of shape \(N, 28, 28\)"):
        EVERYTHING(np.zeros((2, 27, 28), np.float32), rng)
