"""Initialisers have the variance that their papers ask for."""

import numpy as np
import pytest

from pynet.nn.init import INITIALIZERS, fans, he_normal, zeros

# (400 outputs, 600 inputs): 2 / fan_in for He, 2 / (fan_in + fan_out) for Glorot
VARIANCES = {
    "he_normal": 2 / 600,
    "he_uniform": 2 / 600,
    "glorot_normal": 2 / 1000,
    "glorot_uniform": 2 / 1000,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_variance(name, rng):
    """Mean 0 and the stated variance, in float32."""
    weight = INITIALIZERS[name]((400, 600), rng)
    assert weight.dtype == np.float32
    assert weight.mean() == pytest.approx(0, abs=1e-3)
    assert weight.var() == pytest.approx(VARIANCES[name], rel=0.02)


@pytest.mark.parametrize("name", [name for name in VARIANCES if name.endswith("uniform")])
def test_uniform_is_bounded(name, rng):
    """No value lies beyond sqrt(3 * variance), the bound of a uniform distribution."""
    assert np.abs(INITIALIZERS[name]((400, 600), rng)).max() <= (3 * VARIANCES[name]) ** 0.5


def test_fans():
    """A convolution's kernel counts on both sides."""
    assert fans((5, 7)) == (7, 5)
    assert fans((16, 3, 3, 8)) == (72, 144)


def test_same_generator_same_weights():
    """Weights follow from the generator alone."""
    first, second = (he_normal((3, 4), np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_zeros():
    """Zeros are zeros and need no generator."""
    assert not zeros((2, 3)).any()
