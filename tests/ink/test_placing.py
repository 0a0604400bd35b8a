"""Placing by the centre of mass, against MNIST's rule written with plain numbers."""

import math

import numpy as np
import pytest

from pynet.ink.placing import place


def slow_place(box):
    """Place one box pixel by pixel."""
    mass = across = down = peak = 0.0
    for row in range(20):
        for column in range(20):
            ink = box[row, column]
            mass += ink
            across += ink * (column + 0.5)
            down += ink * (row + 0.5)
            peak = max(peak, ink)
    left = min(max(math.floor(15 - across / mass + 1e-9), 0), 8)
    top = min(max(math.floor(15 - down / mass + 1e-9), 0), 8)
    image = np.zeros((28, 28))
    for row in range(20):
        for column in range(20):
            image[top + row, left + column] = box[row, column] / peak
    return image


def test_place_equals_the_slow_twin(rng):
    """Boxes with ink anywhere go where the rule says."""
    boxes = rng.random((50, 20, 20)) * (rng.random((50, 20, 20)) < 0.2)
    boxes[:20] *= np.linspace(0, 1, 20)[:, None] ** 3  # heavy at the foot
    expected = np.array([slow_place(box) for box in boxes])
    np.testing.assert_allclose(place(boxes), expected, atol=1e-6)


@pytest.mark.parametrize("error", [-1e-12, 0.0, 1e-12])
def test_rounding_errors_do_not_move_the_ink(error):
    """A centre of mass on the border of two places always takes the same one."""
    box = np.zeros((1, 20, 20))
    box[0, 5:15, 5:15] = 1
    box[0, 5, 5] += error
    assert np.argwhere(place(box)[0] > 0.5).min(axis=0).tolist() == [10, 10]


@pytest.mark.parametrize("corner", [(0, 0), (0, 19), (19, 0), (19, 19)])
def test_lopsided_ink_is_not_cut_off(corner):
    """The box stops at the edge of the frame."""
    box = np.zeros((1, 20, 20))
    box[0][corner] = 1
    box[0, 19 - corner[0], 19 - corner[1]] = 0.01
    image = place(box)[0]
    assert np.count_nonzero(image) == 2
    assert image.max() == 1


def test_no_ink_places_nothing():
    """Boxes without ink, and no boxes, give zeros and nothing."""
    assert not place(np.zeros((2, 20, 20))).any()
    assert place(np.zeros((0, 20, 20))).shape == (0, 28, 28)
