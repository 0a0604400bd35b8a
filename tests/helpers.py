"""What several test modules share: the gradient check, and small networks."""

import numpy as np

EPS = 1e-6
TOLERANCE = 1e-5


def assert_directional(function, array, gradient, rng):
    """Assert that `gradient` is d function() / d array, along one random direction.

    `function` takes nothing and reads `array`, which is moved by +-EPS and put back: the central
    difference of the value must equal <gradient, direction> to TOLERANCE, relative.
    """
    direction = rng.standard_normal(array.shape)
    direction /= np.linalg.norm(direction)
    original = array.copy()
    array[...] = original + EPS * direction
    above = function()
    array[...] = original - EPS * direction
    below = function()
    array[...] = original
    measured = (above - below) / (2 * EPS)
    claimed = float((gradient * direction).sum())
    scale = max(abs(measured), abs(claimed), 1e-6)
    assert abs(measured - claimed) / scale < TOLERANCE, f"measured {measured}, claimed {claimed}"


def assert_gradients(layer, x, rng, *, training=False):
    """Check dx and every gradient of a float64 layer against central differences.

    The loss is the inner product of the output with one random cotangent. A layer that is random
    in training must be seeded anew by the caller through `layer.reseed`, if it has that.
    """
    reseed = getattr(layer, "reseed", lambda: None)
    reseed()
    y = layer.forward(x, training=training, cache=True)
    cotangent = rng.standard_normal(y.shape)
    dx = layer.backward(cotangent)

    def loss():
        reseed()
        return float((layer.forward(x, training=training, cache=False) * cotangent).sum())

    assert_directional(loss, x, dx, rng)
    for name, param in layer.params.items():
        assert_directional(loss, param, layer.grads[name], rng)
