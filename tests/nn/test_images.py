"""Convolution, pooling and batch norm against naive twins: loops, or the paper's own lines."""

import numpy as np
import pytest

from pynet.nn import memory
from pynet.nn.conv import Conv2d
from pynet.nn.layers import Flatten, Linear
from pynet.nn.network import Sequential
from pynet.nn.norm import BatchNorm1d, BatchNorm2d
from pynet.nn.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d

# kernel_size, stride, padding
WINDOWS = [(3, 1, 1), (3, 1, 0), (3, 2, 1), (2, 2, 0), (2, 3, 0), (1, 1, 0), (5, 2, 4), (4, 3, 2)]


def naive_convolution(x, weight, bias, stride, padding):
    """Return y, one window and filter at a time."""
    count, height, width, _ = x.shape
    filters, size = weight.shape[:2]
    padded = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    rows = (height + 2 * padding - size) // stride + 1
    columns = (width + 2 * padding - size) // stride + 1
    y = np.zeros((count, rows, columns, filters))
    for n, i, j, o in np.ndindex(y.shape):
        window = padded[n, i * stride : i * stride + size, j * stride : j * stride + size]
        y[n, i, j, o] = (window * weight[o]).sum() + bias[o]
    return y


def naive_convolution_gradients(x, weight, dy, stride, padding):
    """Return dx and dw: every product of the forward pass sends its gradient to both factors."""
    size = weight.shape[1]
    border = [(0, 0), (padding, padding), (padding, padding), (0, 0)]
    padded, dw = np.pad(x, border), np.zeros_like(weight)
    dpadded = np.zeros_like(padded)
    for n, i, j, o in np.ndindex(dy.shape):
        window = n, slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)
        dw[o] += dy[n, i, j, o] * padded[window]
        dpadded[window] += dy[n, i, j, o] * weight[o]
    return dpadded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]], dw


@pytest.mark.parametrize(("size", "stride", "padding"), WINDOWS)
def test_convolution(size, stride, padding, rng, monkeypatch):
    """Output and all gradients equal those of loops, with one block of images and with several."""
    layer = Conv2d(2, 3, size, stride=stride, padding=padding, rng=rng).astype(np.float64)
    layer.params["bias"][:] = rng.standard_normal(3)
    weight = layer.params["weight"]
    x = rng.standard_normal((5, 8, 7, 2))
    expected = naive_convolution(x, weight, layer.params["bias"], stride, padding)
    for block in (memory.BLOCK_BYTES, 1, 2 * expected[0].size // 3 * weight[0].size * 8):
        monkeypatch.setattr(memory, "BLOCK_BYTES", block)
        y = layer.forward(x, training=True)
        np.testing.assert_allclose(y, expected, atol=1e-12)
        dy = rng.standard_normal(y.shape)
        dx = layer.backward(dy)
        expected_dx, expected_dw = naive_convolution_gradients(x, weight, dy, stride, padding)
        np.testing.assert_allclose(dx, expected_dx, atol=1e-12)
        np.testing.assert_allclose(layer.grads["weight"], expected_dw, atol=1e-12)
        np.testing.assert_allclose(layer.grads["bias"], dy.sum(axis=(0, 1, 2)), atol=1e-12)


def test_convolution_by_hand():
    """A filter that takes the left pixel from the right one finds the edges of a bar."""
    layer = Conv2d(1, 1, 2, bias=False).astype(np.float64)
    layer.params["weight"][0, :, :, 0] = [[-1, 1], [0, 0]]
    x = np.array([[0.0, 1, 1, 0], [0, 1, 1, 0]]).reshape(1, 2, 4, 1)
    np.testing.assert_array_equal(layer.forward(x)[0, :, :, 0], [[1, 0, -1]])


def naive_pooling(x, size, stride, choose):
    """Return `choose` of each window and channel."""
    count, height, width, channels = x.shape
    y = np.zeros((count, (height - size) // stride + 1, (width - size) // stride + 1, channels))
    for n, i, j, c in np.ndindex(y.shape):
        y[n, i, j, c] = choose(
            x[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
        )
    return y


@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (2, 3), (3, 1), (1, 1), (4, 4)])
def test_pooling(size, stride, rng):
    """Maximum and mean equal those of loops; the gradients follow the largest, or all alike."""
    x = rng.standard_normal((3, 9, 8, 2))
    largest, mean = MaxPool2d(size, stride=stride), AvgPool2d(size, stride=stride)
    y = largest.forward(x, training=True)
    np.testing.assert_array_equal(y, naive_pooling(x, size, stride, np.max))
    np.testing.assert_allclose(
        mean.forward(x, training=True), naive_pooling(x, size, stride, np.mean), atol=1e-15
    )
    dy = rng.standard_normal(y.shape)
    to_largest, to_all = np.zeros_like(x), np.zeros_like(x)
    for n, i, j, c in np.ndindex(y.shape):
        window = np.s_[n, i * stride : i * stride + size, j * stride : j * stride + size, c]
        to_largest[window] += dy[n, i, j, c] * (x[window] == y[n, i, j, c])
        to_all[window] += dy[n, i, j, c] / size**2
    np.testing.assert_allclose(largest.backward(dy), to_largest, atol=1e-15)
    np.testing.assert_allclose(mean.backward(dy), to_all, atol=1e-15)


def test_equal_values_share_nothing():
    """Of several largest values one gets the gradient: the first in the first such column."""
    x = np.array([[0.0, 5, 1, 1], [5, 0, 1, 1]]).reshape(1, 2, 4, 1)
    layer = MaxPool2d(2)
    layer.forward(x, training=True)
    dx = layer.backward(np.array([3.0, 7.0]).reshape(1, 1, 2, 1))
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 0, 7, 0], [3, 0, 0, 0]])


def test_global_average(rng):
    """Each channel becomes its mean."""
    x = rng.standard_normal((3, 4, 5, 2))
    expected = [[x[n, :, :, c].sum() / 20 for c in range(2)] for n in range(3)]
    np.testing.assert_allclose(GlobalAvgPool2d().forward(x), expected, atol=1e-15)


def naive_batch_norm(x, gamma, beta, eps):
    """Return y and what the backward pass needs: Ioffe and Szegedy (2015), algorithm 1."""
    mean = x.mean(axis=0)
    var = ((x - mean) ** 2).mean(axis=0)
    normalised = (x - mean) / np.sqrt(var + eps)
    return gamma * normalised + beta, mean, var, normalised


def naive_batch_norm_gradients(x, mean, var, normalised, gamma, eps, dy):
    """Return dx, dgamma, dbeta: the chain rule of section 3 of that paper, line by line."""
    m = len(x)
    dnormalised = dy * gamma
    dvar = (dnormalised * (x - mean) * -0.5 * (var + eps) ** -1.5).sum(axis=0)
    dmean = (dnormalised * -1 / np.sqrt(var + eps)).sum(axis=0)
    dmean += dvar * (-2 * (x - mean)).sum(axis=0) / m
    dx = dnormalised / np.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    return dx, (dy * normalised).sum(axis=0), dy.sum(axis=0)


@pytest.mark.parametrize("shape", [(8, 3), (4, 5, 6, 3)], ids=["1d", "2d"])
def test_batch_norm(shape, rng):
    """Output and gradients in training equal those of the paper's algorithm on (m, C)."""
    layer = (BatchNorm1d if len(shape) == 2 else BatchNorm2d)(3, eps=1e-3).astype(np.float64)
    layer.params["weight"][:], layer.params["bias"][:] = [2.0, 0.5, -1.0], [0.1, 0.2, 0.3]
    gamma, beta = layer.params["weight"], layer.params["bias"]
    x, dy = rng.standard_normal(shape) * 3 + 10, rng.standard_normal(shape)
    flat = x.reshape(-1, 3)
    y, mean, var, normalised = naive_batch_norm(flat, gamma, beta, 1e-3)
    np.testing.assert_allclose(layer.forward(x, training=True).reshape(-1, 3), y, atol=1e-12)
    dx, dgamma, dbeta = naive_batch_norm_gradients(
        flat, mean, var, normalised, gamma, 1e-3, dy.reshape(-1, 3)
    )
    np.testing.assert_allclose(layer.backward(dy).reshape(-1, 3), dx, atol=1e-12)
    np.testing.assert_allclose(layer.grads["weight"], dgamma, atol=1e-12)
    np.testing.assert_allclose(layer.grads["bias"], dbeta, atol=1e-12)
    m = len(flat)
    np.testing.assert_allclose(layer.buffers["running_mean"], 0.1 * mean)
    np.testing.assert_allclose(layer.buffers["running_var"], 0.9 + 0.1 * var * m / (m - 1))


def test_batch_norm_at_inference(rng):
    """After training passes the running statistics stand in for those of a batch."""
    layer = BatchNorm1d(2, momentum=0.5).astype(np.float64)
    for _ in range(60):
        layer.forward(rng.normal([3, -1], [2, 0.5], (1000, 2)), training=True)
    x = rng.normal([3, -1], [2, 0.5], (1000, 2))
    y = layer.forward(x)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=0.15)
    np.testing.assert_allclose(y.std(axis=0), 1, atol=0.1)
    np.testing.assert_array_equal(layer.forward(x[:1]), y[:1])
    np.testing.assert_allclose(layer.forward(x, cache=True), y, atol=1e-14)


def test_batch_norm_is_stable_far_from_zero(rng):
    """float32 values at 1000 +- 1 are normalised as well as those at 0."""
    x = rng.standard_normal((4096, 2)).astype(np.float32)
    near, far = BatchNorm1d(2), BatchNorm1d(2)
    expected = near.forward(x, training=True)
    np.testing.assert_allclose(far.forward(x + 1000, training=True), expected, atol=2e-3)


def test_batch_norm_of_one_example():
    """One example has no variance: y is the bias, and nothing divides by zero."""
    layer = BatchNorm1d(3)
    layer.params["bias"][:] = 7
    np.testing.assert_array_equal(layer.forward(np.ones((1, 3), np.float32), training=True), 7)
    assert np.isfinite(layer.buffers["running_var"]).all()


def test_statistics_are_updated_in_place(rng):
    """The buffers stay the very arrays, so that a network's dictionary shows them."""
    network = Sequential([Conv2d(1, 2, 3, rng=rng), BatchNorm2d(2)])
    before = network.buffers
    network.forward(rng.random((2, 5, 5, 1), np.float32), training=True)
    assert before["1.running_mean"] is network.buffers["1.running_mean"]
    assert (before["1.running_mean"] != 0).all()


def test_folding(rng):
    """A folded network has no batch norm left and the same outputs; the old one is untouched."""
    network = Sequential(
        [
            Sequential([Conv2d(1, 4, 3, bias=False, rng=rng), BatchNorm2d(4)]),
            Conv2d(4, 3, 3, stride=2, padding=1, rng=rng),
            BatchNorm2d(3),
            MaxPool2d(2),
            BatchNorm2d(3),
            Flatten(),
            Linear(27, 5, bias=False, rng=rng),
            BatchNorm1d(5),
        ]
    ).astype(np.float64)
    for array in (*network.params.values(), *network.buffers.values()):
        array += rng.uniform(0, 1, array.shape)
    x = rng.random((4, 14, 14, 1))
    y, names = network.forward(x), list(network.params)
    folded = network.fold()
    np.testing.assert_allclose(folded.forward(x), y, atol=1e-12)
    assert [type(layer).__name__ for layer in folded] == [
        "Sequential",
        "Conv2d",
        "MaxPool2d",
        "BatchNorm2d",  # its input comes from no Linear or Conv2d: it stays
        "Flatten",
        "Linear",
    ]
    assert len(folded[0]) == 1
    assert list(network.params) == names
    for array in (*folded.params.values(), *folded.buffers.values()):
        array[...] = 9
    np.testing.assert_array_equal(network.forward(x), y)


def test_outputs_are_new_arrays(rng):
    """What a layer returned stays as it was when it is used again."""
    x = rng.random((6, 8, 8, 2), np.float32)
    for layer in (Conv2d(2, 3, 3, rng=rng), MaxPool2d(2), AvgPool2d(2), BatchNorm2d(2)):
        first = layer.forward(x, training=True)
        dx = layer.backward(np.ones_like(first))
        grads = dict(layer.grads)
        kept = [array.copy() for array in (first, dx, *grads.values())]
        second = layer.forward(2 * x + 1, training=True)
        layer.backward(3 * np.ones_like(second))
        for array, copy in zip((first, dx, *grads.values()), kept, strict=True):
            np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2d(1, 2, 3, padding=3), "padding must be less than kernel_size 3, got 3"),
        (lambda: Conv2d(1, 2, 3, stride=0), r"stride must be an integer in \[1, 1024\], got 0"),
        (lambda: Conv2d(1, 2, 3, bias=1), "bias must be True or False, got 1"),
        (lambda: Conv2d(1, 2, 3, padding=-1), "padding must be an integer of 0 or more, got -1"),
        (lambda: Conv2d(1.5, 2, 3), "in_channels must be an integer"),
        (lambda: MaxPool2d(0), "kernel_size must be an integer"),
        (lambda: AvgPool2d(2, stride=-2), "stride must be an integer"),
        (lambda: BatchNorm1d(0), "num_features must be an integer"),
        (lambda: BatchNorm2d(3, eps=0), r"eps must be in \(0, inf\), got 0"),
        (lambda: BatchNorm2d(3, momentum=1.5), r"momentum must be in \[0, 1\], got 1.5"),
    ],
)
def test_constructors_refuse_nonsense(make, message):
    """A hyperparameter out of range is refused by name and value."""
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Conv2d(2, 3, 3), (1, 5, 5, 1), r"Conv2d expects x of shape \(N, H, W, 2\), got \(N, 5, 5"),
        (Conv2d(1, 3, 3), (1, 25), r"Conv2d expects x of shape \(N, H, W, 1\), got \(N, 25\)"),
        (Conv2d(1, 3, 5, padding=1), (1, 2, 9, 1), "at least 3 pixels, got 2x9"),
        (MaxPool2d(2), (1, 1, 4, 1), "MaxPool2d expects x of at least 2 pixels, got 1x4"),
        (AvgPool2d(2), (4, 4), r"AvgPool2d expects x of shape \(N, H, W, C\), got \(N, 4\)"),
        (GlobalAvgPool2d(), (4, 4), "GlobalAvgPool2d expects x of shape"),
        (BatchNorm1d(3), (2, 4), r"BatchNorm1d expects x of shape \(N, 3\), got \(N, 4\)"),
        (BatchNorm2d(3), (2, 5, 5, 4), r"BatchNorm2d expects x of shape \(N, H, W, 3\), got \(N,"),
    ],
)
def test_shapes_that_do_not_fit(layer, shape, message):
    """An input that does not fit is refused with what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape, np.float32))
