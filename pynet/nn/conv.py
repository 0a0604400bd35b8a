"""Convolution: one small linear layer, applied to every window of an image.

Images are NHWC. The windows of a few images at a time are copied out as the rows of a matrix
("im2col"), so that a convolution becomes a matrix product, forward and back.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from pynet.nn import checks, memory, products
from pynet.nn.channels import along_rows, channel_sum
from pynet.nn.init import he_normal, zeros
from pynet.nn.layers import Layer

# A window's rows are copied whole where they are long; with fewer channels than these, it is
# faster to copy rows of the image, one for each place in the window.
FEW_CHANNELS = 4


class Conv2d(Layer):
    """Slide `out_channels` filters over the image: ``y = sum over the window of x w + b``.

    ``y[n, i, j, o] = b[o] + sum_{p, q, c} x[n, s i + p - P, s j + q - P, c] w[o, p, q, c]`` with
    stride s and padding P; x is zero outside the image. (This is cross-correlation; the flip that
    the word convolution promises makes no difference to filters that are learned.)

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of x and of y.
    kernel_size : int
        Height and width of a window, in pixels.
    stride : int
        Pixels from one window to the next.
    padding : int
        Rows and columns of zeros on each side of the image, less than `kernel_size`.
    bias : bool
        Whether to add b. Before a batch norm, which takes every mean off, it does nothing.
    init : callable
        ``init(shape, rng)`` makes the first weights; see `pynet.nn.init`.
    rng : numpy.random.Generator, optional
        Where the first weights come from; default: a new, unseeded one.

    Notes
    -----
    The weight is stored (out_channels, kernel_size, kernel_size, in_channels). With R the matrix
    whose rows are the windows, one for each pixel of y: ``y = R W^T``, ``dW = dy^T R``,
    ``db = sum of dy``. dx is a convolution too: of dy, with stride - 1 zeros put between its
    pixels and kernel_size - 1 - padding zeros around it, with each filter turned by 180 degrees
    and its two kinds of channels exchanged. With S the windows of dy so spread, and V the filters
    so turned, ``dx = S V^T`` and ``dV = x^T S``: where both gradients are wanted, one copy of
    windows serves both.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998), "Gradient-based learning applied to document
    recognition", section II.
    Chellapilla, Puri, Simard (2006), "High performance convolutional neural networks for document
    processing", section 2.1 (im2col).
    Dumoulin, Visin (2016), "A guide to convolution arithmetic for deep learning", relationship 14.
    """

    hyperparameters = (
        "in_channels",
        "out_channels",
        "kernel_size",
        "stride",
        "padding",
        "bias",
    )

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        *,
        stride=1,
        padding=0,
        bias=True,
        init=he_normal,
        rng=None,
    ):
        super().__init__()
        self.in_channels = checks.positive_integer("in_channels", in_channels)
        self.out_channels = checks.positive_integer("out_channels", out_channels)
        self.kernel_size = checks.positive_integer("kernel_size", kernel_size, maximum=1024)
        self.stride = checks.positive_integer("stride", stride, maximum=1024)
        self.padding = checks.natural("padding", padding)
        if padding >= kernel_size:
            raise ValueError(f"padding must be less than kernel_size {kernel_size}, got {padding}")
        self.bias = checks.boolean("bias", bias)
        if rng is None and init is not zeros:
            rng = np.random.default_rng()
        shape = (out_channels, kernel_size, kernel_size, in_channels)
        self.params["weight"] = init(shape, rng)
        if bias:
            self.params["bias"] = np.zeros(out_channels, np.float32)

    @classmethod
    def blank(cls, **arguments):
        """Build the layer with zeros for weights; numpy.random is then never imported."""
        return cls(**arguments, init=zeros)

    def forward(self, x, *, training=False, cache=None):
        """Map (N, H, W, in_channels) to (N, H', W', out_channels)."""
        height, width, channels = self.output_shape(x.shape[1:])
        weight = self.params["weight"].astype(x.dtype, copy=False)
        y = np.empty((len(x), height, width, channels), x.dtype)
        for part, rows in windows_as_rows(
            x, self.kernel_size, (height, width), stride=self.stride, border=self.padding
        ):
            products.multiply(rows, weight.reshape(channels, -1), out=y[part].reshape(-1, channels))
            if self.bias:
                y[part] += along_rows(self.params["bias"], y)
        self._keep((x, weight), training, cache)
        return y

    def backward(self, dy, *, input_gradient=True):
        """Map (N, H', W', out_channels) to (N, H, W, in_channels); set both gradients."""
        x, weight = self._take()
        if self.bias:
            self.grads["bias"] = channel_sum(dy)
        if input_gradient:
            return self._both_gradients(x, weight, dy)
        flat = (self.out_channels, weight[0].size)
        gradient = np.zeros(flat, x.dtype)
        share = memory.scratch("gradient", flat, x.dtype)
        for part, rows in windows_as_rows(
            x, self.kernel_size, dy.shape[1:3], stride=self.stride, border=self.padding
        ):
            gradient += np.matmul(dy[part].reshape(len(rows), -1).T, rows, out=share)
        self.grads["weight"] = gradient.reshape(weight.shape)
        return None

    def _both_gradients(self, x, weight, dy):
        """Return dx and set dW, both from the windows of dy; see the class's Notes."""
        size, channels = self.kernel_size, self.in_channels
        turned = weight[:, ::-1, ::-1].transpose(3, 1, 2, 0).reshape(channels, -1)
        gradient = np.zeros_like(turned)
        share = memory.scratch("gradient", turned.shape, x.dtype)
        dx = np.empty(x.shape, dy.dtype)
        for part, rows in windows_as_rows(
            dy, size, x.shape[1:3], border=size - 1 - self.padding, spread=self.stride
        ):
            products.multiply(rows, turned, out=dx[part].reshape(-1, channels))
            gradient += np.matmul(x[part].reshape(-1, channels).T, rows, out=share)
        gradient = gradient.reshape(channels, size, size, self.out_channels)
        self.grads["weight"] = gradient.transpose(3, 1, 2, 0)[:, ::-1, ::-1].copy()
        return dx

    def scaled(self, scale, shift):
        """Return a new layer that computes ``scale * y + shift`` for the y of this one.

        Its weight is ``scale[o] w[o]`` and its bias ``scale[o] b[o] + shift[o]``.
        """
        layer = type(self).blank(**{**self._arguments(), "bias": True})
        layer.params["weight"] = self.params["weight"] * scale[:, None, None, None]
        layer.params["bias"] = self.params.get("bias", np.float32(0)) * scale + shift
        return layer

    def output_shape(self, input_shape):
        """Return (H', W', out_channels), ``H' = floor((H + 2P - kernel_size) / stride) + 1``.

        Raises ValueError for inputs that do not fit.
        """
        height, width = checks.image("Conv2d", input_shape, self.in_channels)
        size = self.kernel_size - 2 * self.padding
        if min(height, width) < size:
            raise ValueError(f"Conv2d expects x of at least {size} pixels, got {height}x{width}")
        rows, columns = ((side - size) // self.stride + 1 for side in (height, width))
        return rows, columns, self.out_channels

    def multiply_adds(self, input_shape):
        """Count one for each weight and pixel of y."""
        height, width, _ = self.output_shape(input_shape)
        return height * width * self.params["weight"].size


def windows_as_rows(x, size, outputs, *, stride=1, border=0, spread=1):
    """Copy all windows out of a few images at a time, each as one row.

    Parameters
    ----------
    x : (N, H, W, C) ndarray
    size : int
        Height and width of a window.
    outputs : (int, int)
        How many windows there are below and beside each other: H', W'.
    stride : int
        Pixels from one window to the next.
    border : int
        Zeros around the image.
    spread : int
        Put the pixels this far apart, with zeros between.

    Yields
    ------
    part : slice
        Which images these are.
    rows : (n*H'*W', size*size*C) ndarray
        Their windows, in memory that the next ones will overwrite: few enough to stay in cache.
    """
    count, height, width, channels = x.shape
    shape = (*outputs, size, size, channels)
    length = memory.block_length(count, x.itemsize * int(np.prod(shape)))
    inside_height, inside_width = (height - 1) * spread + 1, (width - 1) * spread + 1
    padded_height = max(inside_height + 2 * border, (outputs[0] - 1) * stride + size)
    padded_width = max(inside_width + 2 * border, (outputs[1] - 1) * stride + size)
    padded = memory.scratch("padded", (length, padded_height, padded_width, channels), x.dtype)
    padded[...] = 0
    inside = padded[
        :, border : border + inside_height : spread, border : border + inside_width : spread
    ]
    if channels < FEW_CHANNELS:
        rows = memory.scratch("rows", (size, size, channels, length, *outputs), x.dtype)
        rows = rows.transpose(3, 4, 5, 0, 1, 2)
    else:
        rows = memory.scratch("rows", (length, *shape), x.dtype)
    image, row, column, channel = padded.strides
    windows = as_strided(
        padded, rows.shape, (image, row * stride, column * stride, row, column, channel)
    )
    for start in range(0, count, length):
        part = slice(start, min(start + length, count))
        n = part.stop - start
        inside[:n] = x[part]
        rows[:n] = windows[:n]
        yield part, rows[:n].reshape(-1, size * size * channels)
