"""Batch normalisation: keep the signals inside a network at mean 0 and variance 1."""

import numpy as np

from pynet.nn import checks
from pynet.nn.channels import along_rows, channel_dot, channel_sum
from pynet.nn.layers import Layer


class BatchNorm(Layer):
    """Batch normalisation over all axes but the last; its subclasses say which shapes they take."""

    hyperparameters = ("num_features", "eps", "momentum")

    def __init__(self, num_features, *, eps=1e-5, momentum=0.1):
        super().__init__()
        self.num_features = checks.positive_integer("num_features", num_features)
        self.eps = checks.number("eps", eps, open_low=True)
        self.momentum = checks.number("momentum", momentum, high=1.0, open_high=False)
        self.params["weight"] = np.ones(num_features, np.float32)
        self.params["bias"] = np.zeros(num_features, np.float32)
        self.buffers["running_mean"] = np.zeros(num_features, np.float32)
        self.buffers["running_var"] = np.ones(num_features, np.float32)

    def forward(self, x, *, training=False, cache=None):
        """Normalise by the batch in training, by the running statistics at inference."""
        self.output_shape(x.shape[1:])
        keep = training if cache is None else cache
        if not (training or keep):
            scale, shift = (along_rows(v.astype(x.dtype), x) for v in self.scale_and_shift())
            self._keep(None, training, cache)
            y = x * scale
            y += shift
            return y
        count = x.size // self.num_features
        mean = channel_sum(x) / count if training else self.buffers["running_mean"]
        centred = x - along_rows(mean.astype(x.dtype, copy=False), x)
        if training:
            var = channel_dot(centred, centred) / count
            self._follow(mean, var * (count / max(1, count - 1)))
        else:
            var = self.buffers["running_var"]
        deviation = np.sqrt(var + self.eps).astype(x.dtype, copy=False)
        weight, bias = (
            self.params[name].astype(x.dtype, copy=False) for name in ("weight", "bias")
        )
        y = centred * along_rows(weight / deviation, x)
        y += along_rows(bias, x)
        self._keep((centred, deviation, weight, training), training, cache)
        return y

    def _follow(self, mean, var):
        """Move the running statistics towards those of a batch, in place."""
        for name, value in (("running_mean", mean), ("running_var", var)):
            running = self.buffers[name]
            running += self.momentum * (value - running)

    def backward(self, dy, *, input_gradient=True):
        """Map dy to dx; set the gradients of weight and bias. See the class's Notes."""
        centred, deviation, weight, training = self._take()
        total = channel_sum(dy)
        # d/dweight of the sum of dy * (weight * normalised + bias)
        slope = channel_dot(dy, centred) / deviation
        self.grads["weight"] = slope
        self.grads["bias"] = total
        if not input_gradient:
            return None
        scale = along_rows(weight / deviation, dy)
        if not training:
            return dy * scale
        count = dy.dtype.type(dy.size // self.num_features)
        dx = centred  # kept for this pass alone, and used up here
        dx *= along_rows(-slope / (deviation * count), dy)
        dx += dy
        dx -= along_rows(total / count, dy)
        dx *= scale
        return dx

    def scale_and_shift(self):
        """Return the two (num_features,) vectors that this layer is at inference: ``x a + b``.

        ``a = weight / sqrt(running_var + eps)``, ``b = bias - running_mean a``.
        """
        scale = self.params["weight"] / np.sqrt(self.buffers["running_var"] + self.eps)
        return scale, self.params["bias"] - self.buffers["running_mean"] * scale

    def multiply_adds(self, input_shape):
        """Count one for each element: what is left at inference."""
        return int(np.prod(input_shape))


class BatchNorm1d(BatchNorm):
    """Normalise each feature over the batch: ``y = w (x - mean) / sqrt(var + eps) + b``.

    Parameters
    ----------
    num_features : int
        The length of x's last axis.
    eps : float
        Added to the variance; above 0.
    momentum : float
        The share of the newest batch in the running mean and variance, in [0, 1].

    Notes
    -----
    In training, mean and var are those of the batch, over all axes but the last, and var divides
    by their number m. At inference they are running averages of the batches' means and of their
    variances divided by m - 1, as in PyTorch. With ``h = (x - mean) / sqrt(var + eps)``:
    ``dw = sum dy h``, ``db = sum dy``, and because mean and var depend on x,
    ``dx = w / sqrt(var + eps) (dy - db / m - h dw / m)``; at inference only its first term.

    References
    ----------
    Ioffe, Szegedy (2015), "Batch normalization: accelerating deep network training by reducing
    internal covariate shift", algorithm 1, and section 3 for dx.
    """

    def output_shape(self, input_shape):
        """Return (num_features,), or raise ValueError for inputs that do not fit."""
        if tuple(input_shape) != (self.num_features,):
            got = ", ".join(map(str, ("N", *input_shape)))
            raise ValueError(
                f"BatchNorm1d expects x of shape (N, {self.num_features}), got ({got})"
            )
        return (self.num_features,)


class BatchNorm2d(BatchNorm):
    """Normalise each channel over the batch and all pixels; otherwise as `BatchNorm1d`.

    Parameters
    ----------
    num_features : int
        The number of channels.
    eps, momentum
        See `BatchNorm1d`.
    """

    def output_shape(self, input_shape):
        """Return (H, W, num_features), or raise ValueError for inputs that do not fit."""
        checks.image("BatchNorm2d", input_shape, self.num_features)
        return tuple(input_shape)
