"""Pooling: one number for each window and channel, so that the image shrinks.

The largest (or the sum) of a window is that of its columns, each the largest (or the sum) of its
rows. So every layer here goes along the height, then along the width, which is `kernel_size` steps
twice instead of its square, and in the first the memory that is read together lies together.
"""

import numpy as np

from pynet.nn import checks
from pynet.nn.layers import Layer

HEIGHT, WIDTH = 1, 2


class _Pool2d(Layer):
    """A window that slides over the image without padding."""

    hyperparameters = ("kernel_size", "stride")

    def __init__(self, kernel_size, *, stride=None):
        super().__init__()
        self.kernel_size = checks.positive_integer("kernel_size", kernel_size, maximum=1024)
        stride = kernel_size if stride is None else stride
        self.stride = checks.positive_integer("stride", stride, maximum=1024)

    def output_shape(self, input_shape):
        """Return (H', W', C), ``H' = floor((H - kernel_size) / stride) + 1``.

        Raises ValueError for inputs that do not fit.
        """
        size = self.kernel_size
        height, width = checks.image(type(self).__name__, input_shape)
        if min(height, width) < size:
            raise ValueError(
                f"{type(self).__name__} expects x of at least {size} pixels, got {height}x{width}"
            )
        rows, columns = (height - size) // self.stride + 1, (width - size) // self.stride + 1
        return rows, columns, input_shape[2]

    def _slices(self, x, axis):
        """Yield, for each place in the window, x at that place of every window along `axis`."""
        count = (x.shape[axis] - self.kernel_size) // self.stride + 1
        for place in range(self.kernel_size):
            chosen = slice(place, place + (count - 1) * self.stride + 1, self.stride)
            yield x[(slice(None),) * axis + (chosen,)]


class MaxPool2d(_Pool2d):
    """Keep the largest value of each window: ``y[n, i, j, c] = max x[n, s i + p, s j + q, c]``.

    Parameters
    ----------
    kernel_size : int
        Height and width of a window, in pixels.
    stride : int, optional
        Pixels from one window to the next; default: kernel_size, so that they tile the image.
        What is left over at the right and at the bottom is not looked at.

    Notes
    -----
    The gradient goes to the value that was the largest; of several, to the first one in the first
    column that has one.

    References
    ----------
    Scherer, Müller, Behnke (2010), "Evaluation of pooling operations in convolutional architectures
    for object recognition".
    """

    def forward(self, x, *, training=False, cache=None):
        """Map (N, H, W, C) to (N, H', W', C)."""
        self.output_shape(x.shape[1:])
        columns = self._largest(x, HEIGHT)
        y = self._largest(columns, WIDTH)
        self._keep((x, columns, y), training, cache)
        return y

    def backward(self, dy):
        """Pass each gradient to where the largest value was."""
        x, columns, y = self._take()
        return self._to_largest(self._to_largest(dy, y, columns, WIDTH), columns, x, HEIGHT)

    def _largest(self, x, axis):
        """Return the largest values along one axis of the windows."""
        first, *others = self._slices(x, axis)
        y = first.copy()
        for other in others:
            np.maximum(y, other, out=y)
        return y

    def _to_largest(self, dy, y, x, axis):
        """Turn the gradient of `_largest` into that of its x."""
        dx = np.zeros_like(x)
        *places, last = zip(self._slices(x, axis), self._slices(dx, axis), strict=True)
        rest = dy
        for values, gradients in places:
            share = rest * (values == y)
            gradients += share
            rest = rest - share
        last[1][...] += rest  # what no other place was due
        return dx


class AvgPool2d(_Pool2d):
    """Take the mean of each window: ``y[n, i, j, c] = mean x[n, s i + p, s j + q, c]``.

    Parameters
    ----------
    kernel_size, stride
        See `MaxPool2d`.

    Notes
    -----
    Every value of a window gets ``dy / kernel_size^2``.
    """

    def forward(self, x, *, training=False, cache=None):
        """Map (N, H, W, C) to (N, H', W', C)."""
        self.output_shape(x.shape[1:])
        y = sum(self._slices(sum(self._slices(x, HEIGHT)), WIDTH))
        self._keep(x.shape, training, cache)
        return y / x.dtype.type(self.kernel_size**2)

    def backward(self, dy):
        """Share each gradient out evenly."""
        count, height, width, channels = self._take()
        share = dy / dy.dtype.type(self.kernel_size**2)
        columns = np.zeros((count, dy.shape[HEIGHT], width, channels), dy.dtype)
        for place in self._slices(columns, WIDTH):
            place += share
        dx = np.zeros((count, height, width, channels), dy.dtype)
        for place in self._slices(dx, HEIGHT):
            place += columns
        return dx


class GlobalAvgPool2d(Layer):
    """Take the mean of each channel over the whole image: (N, H, W, C) to (N, C).

    References
    ----------
    Lin, Chen, Yan (2014), "Network in network", section 3.2.
    """

    def forward(self, x, *, training=False, cache=None):
        """Map (N, H, W, C) to (N, C)."""
        self.output_shape(x.shape[1:])
        self._keep(x.shape, training, cache)
        return x.mean(axis=(HEIGHT, WIDTH))

    def backward(self, dy):
        """Share each gradient out evenly over the pixels."""
        shape = self._take()
        dx = np.empty(shape, dy.dtype)
        dx[...] = (dy / dy.dtype.type(shape[HEIGHT] * shape[WIDTH]))[:, None, None]
        return dx

    def output_shape(self, input_shape):
        """Return (C,), or raise ValueError for what is no image."""
        checks.image("GlobalAvgPool2d", input_shape)
        return (input_shape[2],)
