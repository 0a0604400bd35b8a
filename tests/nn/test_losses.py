"""Losses: values worked out by hand, gradients by central differences, no overflow."""

import math

import numpy as np
import pytest
from helpers import assert_directional

from pynet.nn.losses import LOSSES, binary_cross_entropy, cross_entropy, mean_squared_error


def test_cross_entropy_by_hand():
    """Probabilities 1/8, 2/8, 5/8 and the middle target cost log 4."""
    logits = np.log(np.array([[1.0, 2.0, 5.0]])) + 7
    loss, dlogits = cross_entropy(logits, np.array([1]))
    assert loss == pytest.approx(math.log(4))
    np.testing.assert_allclose(dlogits, [[0.125, -0.75, 0.625]])


def test_cross_entropy_is_a_mean_over_the_batch():
    """Doubling the batch changes neither the value nor the sum of the gradient."""
    logits, targets = np.array([[0.0, 1.0], [2.0, 0.5]]), np.array([0, 1])
    once, d_once = cross_entropy(logits, targets)
    twice, d_twice = cross_entropy(np.tile(logits, (2, 1)), np.tile(targets, 2))
    assert once == pytest.approx(twice)
    np.testing.assert_allclose(d_twice[:2] * 2, d_once)


def test_label_smoothing_by_hand():
    """With s = 0.3 and three classes of equal score, q is (0.1, 0.8, 0.1)."""
    loss, dlogits = cross_entropy(np.zeros((1, 3)), np.array([1]), label_smoothing=0.3)
    assert loss == pytest.approx(math.log(3))
    np.testing.assert_allclose(dlogits, [[1 / 3 - 0.1, 1 / 3 - 0.8, 1 / 3 - 0.1]])


def test_distributions_as_targets():
    """Rows stand for themselves: one-hot rows cost what classes do, even rows pull to evenness."""
    logits, targets = np.log(np.array([[1.0, 2.0, 5.0], [2.0, 1.0, 1.0]])), np.array([1, 0])
    rows = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    for smoothing in (0.0, 0.3):
        loss, dlogits = cross_entropy(logits, targets, label_smoothing=smoothing)
        other, dother = cross_entropy(logits, rows, label_smoothing=smoothing)
        assert other == pytest.approx(loss)
        np.testing.assert_allclose(dother, dlogits)
    np.testing.assert_array_equal(rows.sum(), 2)  # the caller's targets stay as they are
    loss, dlogits = cross_entropy(logits[:1], np.full((1, 3), 1 / 3), label_smoothing=0.3)
    assert loss == pytest.approx((math.log(8) + math.log(4) + math.log(8 / 5)) / 3)
    np.testing.assert_allclose(dlogits, [[1 / 8 - 1 / 3, 2 / 8 - 1 / 3, 5 / 8 - 1 / 3]])


@pytest.mark.parametrize("row", [[0.5, 0.4, 0.0], [1.5, -0.5, 0.0], [np.nan, 0.5, 0.5]])
def test_bad_distributions(row):
    """Rows that are no probabilities are refused."""
    with pytest.raises(ValueError, match="at least 0 that sum to 1"):
        cross_entropy(np.zeros((1, 3)), np.array([row]))
    with pytest.raises(ValueError, match=r"must have shape \(1, 3\), got \(1, 2\)"):
        cross_entropy(np.zeros((1, 3)), np.array([[0.5, 0.5]]))


def test_binary_cross_entropy_by_hand():
    """A probability of 3/4 costs log 4/3 when true and log 4 when false."""
    z = math.log(3)
    loss, dlogits = binary_cross_entropy(np.array([[z, z]]), np.array([[1.0, 0.0]]))
    assert loss == pytest.approx((math.log(4 / 3) + math.log(4)) / 2)
    np.testing.assert_allclose(dlogits, [[-0.125, 0.375]])


def test_mean_squared_error_by_hand():
    """Classes stand for one-hot rows: (0.5, 1, 0) against class 1 is 0.25 / 3."""
    outputs = np.array([[0.5, 1.0, 0.0]])
    loss, gradient = mean_squared_error(outputs, np.array([1]))
    assert loss == pytest.approx(0.25 / 3)
    np.testing.assert_allclose(gradient, [[1 / 3, 0, 0]])
    assert mean_squared_error(outputs, np.array([[0.0, 1.0, 0.0]]))[0] == pytest.approx(loss)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradients(name, smoothing, rng):
    """Central differences agree with the gradient that comes with the value."""
    outputs = 3 * rng.standard_normal((6, 4))
    targets = rng.random((6, 4)) if name == "binary_cross_entropy" else rng.integers(0, 4, 6)
    extra = {"label_smoothing": smoothing} if name == "cross_entropy" else {}
    _, gradient = LOSSES[name](outputs, targets, **extra)
    assert_directional(lambda: LOSSES[name](outputs, targets, **extra)[0], outputs, gradient, rng)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradient_of_distributions(smoothing, rng):
    """Central differences agree for targets that are rows of probabilities."""
    logits, targets = 3 * rng.standard_normal((6, 4)), rng.dirichlet(np.ones(4), 6)
    _, gradient = cross_entropy(logits, targets, smoothing)
    assert_directional(lambda: cross_entropy(logits, targets, smoothing)[0], logits, gradient, rng)


@pytest.mark.parametrize("loss", [cross_entropy, binary_cross_entropy])
def test_no_overflow(loss):
    """Logits of +-1000 give finite float32 values and gradients, without a warning."""
    logits = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]], np.float32)
    targets = np.array([1, 1]) if loss is cross_entropy else np.array([[0.0, 1.0], [1.0, 0.0]])
    value, gradient = loss(logits, targets)
    assert math.isfinite(value)
    assert gradient.dtype == np.float32
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["cross_entropy", "mean_squared_error"])
@pytest.mark.parametrize(
    "targets", [np.array([0, 3]), np.array([-1, 0]), np.array([0.0, 1.0]), np.array([0, 1, 2])]
)
def test_bad_targets(name, targets):
    """Targets that are no classes, or not as many as outputs, are refused."""
    with pytest.raises(ValueError, match="targets must be"):
        LOSSES[name](np.zeros((2, 3)), targets)


@pytest.mark.parametrize("loss", [binary_cross_entropy, mean_squared_error])
def test_no_broadcasting(loss):
    """Targets of another shape are refused where broadcasting would hide the mistake."""
    with pytest.raises(ValueError, match=r"must have shape \(2, 3\), got \(2, 1\)"):
        loss(np.zeros((2, 3)), np.zeros((2, 1)))
