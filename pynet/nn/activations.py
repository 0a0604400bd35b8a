"""Activations: the bends between linear layers, each with its derivative beside it.

Without them a stack of linear layers is one linear layer. All work element by element but
Softmax, which works along the last axis.
"""

import numpy as np

from pynet.nn import checks
from pynet.nn.channels import along_rows
from pynet.nn.layers import Layer


class ReLU(Layer):
    """Rectified linear unit: ``y = max(x, 0)``; ``dy/dx = 1 where x > 0, else 0``.

    Notes
    -----
    The derivative at 0 does not exist; 0 is used.

    References
    ----------
    Nair, Hinton (2010), "Rectified linear units improve restricted Boltzmann machines".
    Glorot, Bordes, Bengio (2011), "Deep sparse rectifier neural networks".
    """

    def forward(self, x, *, training=False, cache=None):
        """Map any shape to itself."""
        # A row of zeros: numpy has no vector code for the maximum with a single number.
        y = np.maximum(x, along_rows(np.zeros(x.shape[-1], x.dtype), x))
        self._keep(y, training, cache)
        return y

    def backward(self, dy):
        """Pass the gradient on where the unit was on."""
        return dy * (self._take() > 0)


class LeakyReLU(Layer):
    """ReLU that leaks: ``y = x where x > 0, else slope * x``; ``dy/dx = 1 or slope``.

    Parameters
    ----------
    slope : float
        In [0, 1).

    References
    ----------
    Maas, Hannun, Ng (2013), "Rectifier nonlinearities improve neural network acoustic models".
    """

    hyperparameters = ("slope",)

    def __init__(self, slope=0.01):
        super().__init__()
        self.slope = checks.number("slope", slope, high=1.0)

    def forward(self, x, *, training=False, cache=None):
        """Map any shape to itself."""
        # max picks x above zero and slope * x below it, because slope < 1.
        y = np.maximum(x, x.dtype.type(self.slope) * x)
        self._keep(x, training, cache)
        return y

    def backward(self, dy):
        """Pass the gradient on, times `slope` where the unit was off."""
        return np.where(self._take() > 0, dy, dy.dtype.type(self.slope) * dy)


class Sigmoid(Layer):
    """Logistic function: ``y = 1 / (1 + exp(-x))``; ``dy/dx = y (1 - y)``, at most 1/4.

    Notes
    -----
    Computed as ``(1 + tanh(x / 2)) / 2``, the same function, which cannot overflow.
    """

    def forward(self, x, *, training=False, cache=None):
        """Map any shape to itself, with values in (0, 1)."""
        half = x.dtype.type(0.5)
        y = half * (1 + np.tanh(half * x))
        self._keep(y, training, cache)
        return y

    def backward(self, dy):
        """Multiply by ``y (1 - y)``."""
        y = self._take()
        return dy * y * (1 - y)


class Tanh(Layer):
    """Hyperbolic tangent: ``y = tanh(x)``; ``dy/dx = 1 - y^2``.

    References
    ----------
    LeCun, Bottou, Orr, Müller (1998), "Efficient backprop", section 4.4.
    """

    def forward(self, x, *, training=False, cache=None):
        """Map any shape to itself, with values in (-1, 1)."""
        y = np.tanh(x)
        self._keep(y, training, cache)
        return y

    def backward(self, dy):
        """Multiply by ``1 - y^2``."""
        y = self._take()
        return dy * (1 - y * y)


class Softmax(Layer):
    """Turn scores into probabilities: ``y_k = exp(x_k) / sum_j exp(x_j)`` along the last axis.

    Notes
    -----
    ``dx = y * (dy - sum_j dy_j y_j)``. A classifier here ends in logits and trains on
    `losses.cross_entropy`, which holds the softmax; this layer is for those who want to look at
    it, or need it inside a network.

    References
    ----------
    Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs".
    """

    def forward(self, x, *, training=False, cache=None):
        """Map (..., K) to (..., K), each row a distribution."""
        y = softmax(x)
        self._keep(y, training, cache)
        return y

    def backward(self, dy):
        """Multiply by the Jacobian ``diag(y) - y y^T`` of each row."""
        y = self._take()
        return y * (dy - (dy * y).sum(axis=-1, keepdims=True))


def softmax(x):
    """Compute ``exp(x_k) / sum_j exp(x_j)`` along the last axis of a (..., K) array.

    The largest score is taken off first, which changes no ratio and keeps exp from overflowing.
    """
    y = np.exp(x - x.max(axis=-1, keepdims=True))
    y /= y.sum(axis=-1, keepdims=True)
    return y
