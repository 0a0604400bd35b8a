"""Initial weights: random, and scaled so that signals neither fade nor explode from layer to layer.

An initialiser takes the shape of a weight, `(out, ..., in)`, and a generator, and returns float32.
Biases start at zero and need none of this.
"""

import math

import numpy as np


def fans(shape):
    """Count the inputs and the outputs that one weight array connects.

    Parameters
    ----------
    shape : tuple of int
        ``(out_features, in_features)``, or ``(out_channels, height, width, in_channels)``.

    Returns
    -------
    fan_in, fan_out : int
        Connections into one output unit, and out of one input unit.
    """
    receptive_field = math.prod(shape[1:-1])
    return receptive_field * shape[-1], receptive_field * shape[0]


def he_normal(shape, rng):
    """Draw from N(0, 2 / fan_in), which keeps the variance constant through ReLU layers.

    References
    ----------
    He, Zhang, Ren, Sun (2015), "Delving deep into rectifiers", eq. 10.
    """
    fan_in, _ = fans(shape)
    return _normal(shape, math.sqrt(2 / fan_in), rng)


def he_uniform(shape, rng):
    """Draw uniformly from +-sqrt(6 / fan_in): the variance of `he_normal`, and bounded."""
    fan_in, _ = fans(shape)
    return _uniform(shape, math.sqrt(6 / fan_in), rng)


def glorot_normal(shape, rng):
    """Draw from N(0, 2 / (fan_in + fan_out)), made for sigmoid and tanh.

    References
    ----------
    Glorot, Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks", eq. 12.
    """
    return _normal(shape, math.sqrt(2 / sum(fans(shape))), rng)


def glorot_uniform(shape, rng):
    """Draw uniformly from +-sqrt(6 / (fan_in + fan_out)): Glorot and Bengio (2010), eq. 16."""
    return _uniform(shape, math.sqrt(6 / sum(fans(shape))), rng)


def zeros(shape, rng=None):
    """Return zeros: for weights that are about to be loaded; a network cannot learn from it."""
    return np.zeros(shape, np.float32)


def _normal(shape, deviation, rng):
    return (deviation * rng.standard_normal(shape)).astype(np.float32)


def _uniform(shape, limit, rng):
    return rng.uniform(-limit, limit, shape).astype(np.float32)


INITIALIZERS = {
    "he_normal": he_normal,
    "he_uniform": he_uniform,
    "glorot_normal": glorot_normal,
    "glorot_uniform": glorot_uniform,
    "zeros": zeros,
}
