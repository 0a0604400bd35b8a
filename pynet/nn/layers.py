"""The layer contract, and the layers that a fully connected network is made of.

A layer is a function with memory: `forward` computes its output, `backward` turns the gradient of
the loss with respect to that output into the gradients with respect to its input and parameters.
It holds no optimiser, no loss and no activation but itself.
"""

import copy
import inspect
import math

import numpy as np

from pynet.nn import checks, products
from pynet.nn.init import he_normal, zeros


class Layer:
    """What every layer has: parameters, gradients, buffers, a forward and a backward pass.

    Attributes
    ----------
    params : dict of str to ndarray
        What is trained and saved.
    grads : dict of str to ndarray
        dLoss/dparam for each of `params`, of the same shape; set by `backward`.
    buffers : dict of str to ndarray
        What is saved but not trained.
    hyperparameters : tuple of str
        The constructor arguments that rebuild the layer; attributes of the same names hold them.
    """

    hyperparameters = ()

    def __init__(self):
        self.params = {}
        self.grads = {}
        self.buffers = {}
        self._cache = None

    def forward(self, x, *, training=False, cache=None):
        """Compute the layer's output.

        Parameters
        ----------
        x : (N, ...) float32 or float64 ndarray
            A batch; the output keeps its dtype.
        training : bool
            Behave as in training (dropout, batch statistics).
        cache : bool, optional
            Keep what `backward` needs; default: as `training`.

        Returns
        -------
        y : (N, ...) ndarray
        """
        raise TypeError(f"{type(self).__name__} has no forward pass: a subclass defines it")

    def backward(self, dy):
        """Turn dLoss/dy into dLoss/dx, and set `grads`; uses up what `forward` kept.

        A layer with parameters also takes the keyword ``input_gradient``: with False it sets
        `grads` and returns None, which spares the first layer of a network a product that nobody
        reads.

        Parameters
        ----------
        dy : ndarray
            Of the shape of y; left as it is.

        Returns
        -------
        dx : ndarray
            Of the shape of x.

        Raises
        ------
        RuntimeError
            Without a forward pass that kept its cache.
        """
        raise TypeError(f"{type(self).__name__} has no backward pass: a subclass defines it")

    def output_shape(self, input_shape):
        """Return the shape of y for one example, given that of x: both without N."""
        return input_shape

    def multiply_adds(self, input_shape):
        """Count the multiplications by weights for one example of `input_shape`."""
        return 0

    def config(self):
        """Return what rebuilds this layer, without its weights: its type and hyperparameters."""
        return {"type": type(self).__name__, **self._arguments()}

    def _arguments(self):
        """Return the hyperparameters by name."""
        return {name: getattr(self, name) for name in self.hyperparameters}

    @classmethod
    def blank(cls, **arguments):
        """Build the layer from its hyperparameters, with weights of zero that wait to be loaded."""
        return cls(**arguments)

    def astype(self, dtype):
        """Convert parameters and buffers to `dtype` and return the layer; for gradient checks."""
        for arrays in (self.params, self.buffers):
            for name, array in arrays.items():
                arrays[name] = array.astype(dtype)
        return self

    def replica(self):
        """Return a layer with the same parameter arrays, and gradients and buffers of its own."""
        twin = copy.copy(self)
        twin.grads, twin._cache = {}, None
        twin.buffers = {name: array.copy() for name, array in self.buffers.items()}
        return twin

    def gather(self, replicas, shares):
        """Add the gradients of `replicas` to those here, and take the mean of the buffers.

        Parameters
        ----------
        replicas : sequence of Layer
        shares : sequence of float
            The weight in that mean of this layer, then of each replica.
        """
        for name, gradient in self.grads.items():
            for replica in replicas:
                gradient += replica.grads[name]
        for name, buffer in self.buffers.items():
            buffer *= shares[0]
            for replica, share in zip(replicas, shares[1:], strict=True):
                buffer += share * replica.buffers[name]

    def _keep(self, value, training, cache):
        """Hold `value` for backward if asked to; a pass without cache forgets the one before."""
        self._cache = value if (training if cache is None else cache) else None

    def _take(self):
        """Return what forward kept, and drop it."""
        value, self._cache = self._cache, None
        if value is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward needs a forward pass with training=True or "
                "cache=True before it, and each such pass serves once"
            )
        return value

    def __repr__(self):
        usual = inspect.signature(type(self)).parameters
        arguments = ", ".join(
            f"{name}={value!r}"
            for name, value in self._arguments().items()
            if value != usual[name].default
        )
        return f"{type(self).__name__}({arguments})"


class Linear(Layer):
    """Connect every input to every output: ``y = x W^T + b``.

    Parameters
    ----------
    in_features, out_features : int
        Numbers of inputs and of outputs.
    bias : bool
        Whether to add b. Before a batch norm, which takes every mean off, it does nothing.
    init : callable
        ``init(shape, rng)`` makes the first weights; see `pynet.nn.init`.
    rng : numpy.random.Generator, optional
        Where the first weights come from; default: a new, unseeded one.

    Notes
    -----
    With ``dy = dLoss/dy``: ``dW = dy^T x``, ``db = sum over the batch of dy``, ``dx = dy W``. The
    weight is stored (out, in), so that both operands of the forward product run along the sum.

    References
    ----------
    Rumelhart, Hinton, Williams (1986), "Learning representations by back-propagating errors".
    """

    hyperparameters = ("in_features", "out_features", "bias")

    def __init__(self, in_features, out_features, *, bias=True, init=he_normal, rng=None):
        super().__init__()
        self.in_features = checks.positive_integer("in_features", in_features)
        self.out_features = checks.positive_integer("out_features", out_features)
        self.bias = checks.boolean("bias", bias)
        if rng is None and init is not zeros:
            rng = np.random.default_rng()
        self.params["weight"] = init((out_features, in_features), rng)
        if bias:
            self.params["bias"] = np.zeros(out_features, np.float32)

    @classmethod
    def blank(cls, **arguments):
        """Build the layer with zeros for weights; numpy.random is then never imported."""
        return cls(**arguments, init=zeros)

    def forward(self, x, *, training=False, cache=None):
        """Map (N, in_features) to (N, out_features)."""
        self.output_shape(x.shape[1:])
        weight = self.params["weight"].astype(x.dtype, copy=False)
        y = products.multiply(x, weight)
        if self.bias:
            y += self.params["bias"]
        self._keep((x, weight), training, cache)
        return y

    def backward(self, dy, *, input_gradient=True):
        """Map (N, out_features) to (N, in_features); set the gradients of weight and bias."""
        x, weight = self._take()
        self.grads["weight"] = dy.T @ x
        if self.bias:
            self.grads["bias"] = dy.sum(axis=0)
        return dy @ weight if input_gradient else None

    def scaled(self, scale, shift):
        """Return a new layer that computes ``scale * y + shift`` for the y of this one.

        Its weight is ``scale[o] W[o]`` and its bias ``scale[o] b[o] + shift[o]``.
        """
        layer = type(self).blank(**{**self._arguments(), "bias": True})
        layer.params["weight"] = self.params["weight"] * scale[:, None]
        layer.params["bias"] = self.params.get("bias", np.float32(0)) * scale + shift
        return layer

    def output_shape(self, input_shape):
        """Return (out_features,), or raise ValueError for inputs that do not fit."""
        if tuple(input_shape) != (self.in_features,):
            got = ", ".join(map(str, ("N", *input_shape)))
            raise ValueError(f"Linear expects x of shape (N, {self.in_features}), got ({got})")
        return (self.out_features,)

    def multiply_adds(self, input_shape):
        """Count one for each weight."""
        return self.in_features * self.out_features


class Flatten(Layer):
    """Lay each example out as one row: (N, H, W, C) to (N, H*W*C)."""

    def forward(self, x, *, training=False, cache=None):
        """Map (N, ...) to (N, product of the rest)."""
        self._keep(x.shape, training, cache)
        return x.reshape(len(x), math.prod(x.shape[1:]))

    def backward(self, dy):
        """Give each gradient the shape its example had."""
        return dy.reshape(self._take())

    def output_shape(self, input_shape):
        """Return (product of the axes,)."""
        return (math.prod(input_shape),)


class Dropout(Layer):
    """In training, set a random share of the inputs to zero and scale up the others.

    Parameters
    ----------
    rate : float
        The share to drop, in [0, 1).
    rng : numpy.random.Generator, optional
        Where the choices come from; default: a new, unseeded one at the first use.

    Notes
    -----
    The survivors are divided by ``1 - rate`` in training ("inverted" dropout), where the paper
    multiplies the weights by it afterwards: the expected signal is the same, and inference is
    the identity.

    References
    ----------
    Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov (2014), "Dropout: a simple way to
    prevent neural networks from overfitting", section 4.
    """

    hyperparameters = ("rate",)

    def __init__(self, rate, *, rng=None):
        super().__init__()
        self.rate = checks.number("rate", rate, high=1.0)
        self._rng = rng

    def replica(self):
        """Return a layer with a generator of its own, seeded by this one's."""
        twin = super().replica()
        twin._rng = np.random.default_rng(self._generator().integers(2**63))
        return twin

    def _generator(self):
        if self._rng is None:
            self._rng = np.random.default_rng()
        return self._rng

    def forward(self, x, *, training=False, cache=None):
        """Map x to x, or in training to ``x * mask`` with mask in {0, 1 / (1 - rate)}."""
        if not (training and self.rate):
            self._keep(1, training, cache)
            return x
        kept = self._generator().random(x.shape, np.float32) >= self.rate
        mask = kept * x.dtype.type(1 / (1 - self.rate))
        self._keep(mask, training, cache)
        return x * mask

    def backward(self, dy):
        """Pass on the gradient of what was kept, scaled as it was."""
        return dy * self._take()
