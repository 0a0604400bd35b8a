"""One table puts every layer through the contract of STYLE; a new layer is one new row."""

import numpy as np
import pytest
from helpers import assert_gradients

from pynet.nn import models, weights
from pynet.nn.activations import LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from pynet.nn.conv import Conv2d
from pynet.nn.init import glorot_normal
from pynet.nn.layers import Dropout, Flatten, Layer, Linear
from pynet.nn.network import Sequential
from pynet.nn.norm import BatchNorm1d, BatchNorm2d
from pynet.nn.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d


class SeededDropout(Dropout):
    """Dropout whose every pass drops the same units, so that differences can be taken."""

    def reseed(self):
        """Start the choices over."""
        self._rng = np.random.default_rng(3)


def mean_of_two_paths(rng):
    """Return a Sequential inside a Sequential: it is a layer itself."""
    inner = Sequential([Linear(6, 5, rng=rng), Tanh()])
    return Sequential([Flatten(), inner, Linear(5, 3, init=glorot_normal, rng=rng)])


def shaken(layer, rng):
    """Return the layer with scale, shift and statistics unlike those it starts with."""
    for arrays in (layer.params, layer.buffers):
        for array in arrays.values():
            array[...] = rng.uniform(0.5, 1.5, array.shape)
    return layer


# name, which may go on after the layer's: (layer from rng, shape of x, shape of y)
LAYERS = {
    "Linear": (lambda rng: Linear(6, 4, rng=rng), (5, 6), (5, 4)),
    "Linear unbiased": (lambda rng: Linear(6, 4, bias=False, rng=rng), (5, 6), (5, 4)),
    "Flatten": (lambda rng: Flatten(), (5, 2, 3, 4), (5, 24)),
    "Dropout": (lambda rng: SeededDropout(0.4, rng=rng), (5, 7), (5, 7)),
    "ReLU": (lambda rng: ReLU(), (5, 2, 3), (5, 2, 3)),
    "LeakyReLU": (lambda rng: LeakyReLU(0.2), (5, 7), (5, 7)),
    "Sigmoid": (lambda rng: Sigmoid(), (5, 7), (5, 7)),
    "Tanh": (lambda rng: Tanh(), (5, 7), (5, 7)),
    "Softmax": (lambda rng: Softmax(), (5, 7), (5, 7)),
    "Conv2d": (lambda rng: Conv2d(2, 3, 3, rng=rng), (4, 6, 5, 2), (4, 4, 3, 3)),
    "Conv2d same": (lambda rng: Conv2d(2, 3, 3, padding=1, rng=rng), (4, 6, 5, 2), (4, 6, 5, 3)),
    "Conv2d stride": (
        lambda rng: Conv2d(3, 2, 3, stride=2, padding=1, bias=False, rng=rng),
        (4, 6, 5, 3),
        (4, 3, 3, 2),
    ),
    "Conv2d gaps": (lambda rng: Conv2d(2, 3, 2, stride=3, rng=rng), (4, 7, 9, 2), (4, 2, 3, 3)),
    "Conv2d pointwise": (lambda rng: Conv2d(4, 3, 1, rng=rng), (4, 3, 2, 4), (4, 3, 2, 3)),
    "Conv2d wide padding": (
        lambda rng: Conv2d(1, 2, 5, stride=2, padding=4, rng=rng),
        (3, 4, 5, 1),
        (3, 4, 5, 2),
    ),
    "MaxPool2d": (lambda rng: MaxPool2d(2), (4, 6, 4, 3), (4, 3, 2, 3)),
    "MaxPool2d left over": (lambda rng: MaxPool2d(2), (4, 7, 5, 3), (4, 3, 2, 3)),
    "MaxPool2d overlap": (lambda rng: MaxPool2d(3, stride=2), (4, 7, 6, 2), (4, 3, 2, 2)),
    "MaxPool2d gaps": (lambda rng: MaxPool2d(2, stride=3), (4, 8, 5, 2), (4, 3, 2, 2)),
    "AvgPool2d": (lambda rng: AvgPool2d(2), (4, 7, 4, 3), (4, 3, 2, 3)),
    "AvgPool2d overlap": (lambda rng: AvgPool2d(3, stride=2), (4, 7, 6, 2), (4, 3, 2, 2)),
    "GlobalAvgPool2d": (lambda rng: GlobalAvgPool2d(), (4, 5, 3, 2), (4, 2)),
    "BatchNorm1d": (lambda rng: shaken(BatchNorm1d(7), rng), (5, 7), (5, 7)),
    "BatchNorm2d": (lambda rng: shaken(BatchNorm2d(2), rng), (3, 4, 5, 2), (3, 4, 5, 2)),
    "BatchNorm2d eps": (
        lambda rng: shaken(BatchNorm2d(3, eps=0.5, momentum=0.3), rng),
        (2, 1, 2, 3),
        (2, 1, 2, 3),
    ),
    "Sequential": (mean_of_two_paths, (5, 2, 3), (5, 3)),
}
PARAMETRISED = [name for name in LAYERS if LAYERS[name][0](np.random.default_rng(0)).params]


@pytest.fixture(params=LAYERS, ids=str)
def case(request, rng):
    """Return a layer, an input that suits it, and the shape that should come out."""
    make, shape, expected = LAYERS[request.param]
    return make(rng), rng.standard_normal(shape), expected


def test_table_is_complete():
    """Every layer that a file may name has a row."""
    assert set(models.LAYERS) <= {name.split()[0] for name in LAYERS}


def test_shapes(case):
    """The output has the promised shape, in forward and in output_shape, and dx that of x."""
    layer, x, expected = case
    y = layer.forward(x, cache=True)
    assert y.shape == expected
    assert tuple(layer.output_shape(x.shape[1:])) == expected[1:]
    assert layer.backward(np.ones_like(y)).shape == x.shape
    assert {k: v.shape for k, v in layer.grads.items()} == {
        k: v.shape for k, v in layer.params.items()
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("training", [False, True])
def test_dtype(case, dtype, training):
    """A layer keeps the dtype of x, forward and back."""
    layer, x, _ = case
    y = layer.astype(dtype).forward(x.astype(dtype), training=training, cache=True)
    assert y.dtype == dtype
    assert layer.backward(np.ones_like(y)).dtype == dtype
    assert all(gradient.dtype == dtype for gradient in layer.grads.values())


def test_dtype_follows_x_not_the_weights(rng):
    """float32 in gives float32 out even where the weights are float64."""
    layer = Linear(6, 4, rng=rng).astype(np.float64)
    assert layer.forward(rng.random((2, 6), np.float32)).dtype == np.float32


@pytest.mark.parametrize("training", [False, True])
def test_gradients(case, rng, training):
    """Central differences agree with backward, for x and every parameter."""
    layer, x, _ = case
    assert_gradients(layer.astype(np.float64), x, rng, training=training)


def test_backward_needs_a_cache(case):
    """Without a pass that kept its cache, and a second time, backward raises RuntimeError."""
    layer, x, _ = case
    y = layer.forward(x)
    with pytest.raises(RuntimeError, match="cache=True"):
        layer.backward(np.ones_like(y))
    layer.forward(x, training=True)
    layer.backward(np.ones_like(y))
    with pytest.raises(RuntimeError, match="once"):
        layer.backward(np.ones_like(y))


def test_a_pass_without_cache_forgets(case):
    """A later pass without cache makes backward fail rather than use old values."""
    layer, x, _ = case
    layer.forward(x, cache=True)
    y = layer.forward(x, cache=False)
    with pytest.raises(RuntimeError):
        layer.backward(np.ones_like(y))


def test_backward_replaces_and_leaves_dy(case, rng):
    """Gradients of a second pass do not add up, and neither x nor dy is written to."""
    layer, x, _ = case
    reseed = getattr(layer, "reseed", lambda: None)
    grads = []
    before = x.copy()
    for _ in range(2):
        reseed()
        y = layer.forward(x, training=True)
        dy = np.ones_like(y)
        layer.backward(dy)
        np.testing.assert_array_equal(dy, 1)
        grads.append({name: gradient.copy() for name, gradient in layer.grads.items()})
    np.testing.assert_array_equal(x, before)
    for name, gradient in grads[0].items():
        np.testing.assert_array_equal(gradient, grads[1][name])


@pytest.mark.parametrize("name", PARAMETRISED)
def test_input_gradient_can_be_left_out(name, rng):
    """With input_gradient=False the parameters' gradients are the same and dx is None."""
    make, shape, _ = LAYERS[name]
    layer, x = make(rng).astype(np.float64), rng.standard_normal(shape)
    y = layer.forward(x, cache=True)
    layer.backward(np.ones_like(y))
    expected = {key: gradient.copy() for key, gradient in layer.grads.items()}
    layer.forward(x, cache=True)
    assert layer.backward(np.ones_like(y), input_gradient=False) is None
    for key, gradient in expected.items():
        np.testing.assert_allclose(layer.grads[key], gradient)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "Sequential"])
def test_save_and_load(name, rng):
    """A layer comes back from its weights file with the same hyperparameters and outputs."""
    make, shape, _ = LAYERS[name]
    layer = make(rng)
    if name == "Dropout":
        layer = Dropout(0.4)
    loaded, _ = weights.loads(weights.dumps(Sequential([layer]), {}, dtype="float32"))
    assert repr(loaded[0]) == repr(layer)
    x = rng.standard_normal(shape).astype(np.float32)
    np.testing.assert_array_equal(loaded.forward(x), layer.forward(x))


def test_linear_against_loops(rng):
    """Linear equals a sum over its inputs, written as loops."""
    layer, x = Linear(3, 2, rng=rng).astype(np.float64), rng.standard_normal((4, 3))
    weight, bias = layer.params["weight"], layer.params["bias"] = (
        layer.params["weight"],
        rng.standard_normal(2),
    )
    y = layer.forward(x)
    for n in range(4):
        for o in range(2):
            total = bias[o]
            for i in range(3):
                total += weight[o, i] * x[n, i]
            assert y[n, o] == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize(
    ("layer", "x", "y"),
    [
        (ReLU(), [-2.0, 0.0, 3.0], [0.0, 0.0, 3.0]),
        (LeakyReLU(0.1), [-2.0, 0.0, 3.0], [-0.2, 0.0, 3.0]),
        (Sigmoid(), [0.0, np.log(3.0), -np.log(3.0)], [0.5, 0.75, 0.25]),
        (Tanh(), [0.0, np.log(2.0), -np.log(2.0)], [0.0, 0.6, -0.6]),
        (Softmax(), [0.0, np.log(2.0), np.log(5.0)], [0.125, 0.25, 0.625]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Layer) else "",
)
def test_activation_values(layer, x, y):
    """Activations give values worked out by hand."""
    np.testing.assert_allclose(layer.forward(np.array([x])), [y], atol=1e-15)


@pytest.mark.parametrize("layer", [Sigmoid(), Tanh(), Softmax()], ids=repr)
def test_activations_survive_large_inputs(layer):
    """Inputs of +-1000 give finite outputs and gradients in float32, without a warning."""
    x = np.array([[-1000.0, 0.0, 1000.0]], np.float32)
    y = layer.forward(x, cache=True)
    assert np.isfinite(y).all()
    assert np.isfinite(layer.backward(np.ones_like(y))).all()


def test_dropout_drops_the_share_and_keeps_the_mean(rng):
    """In training the stated share is zero, the rest scaled up; at inference nothing happens."""
    layer, x = Dropout(0.25, rng=rng), np.ones((400, 250), np.float32)
    y = layer.forward(x, training=True)
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert layer.forward(x) is x


def test_dropout_follows_its_generator():
    """The same generator gives the same choices."""
    x = np.ones((8, 8), np.float32)
    first, second = (
        Dropout(0.5, rng=np.random.default_rng(7)).forward(x, training=True) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_linear_names_both_shapes_of_a_mismatch(rng):
    """An input that does not fit is refused with what was expected and what came."""
    with pytest.raises(ValueError, match=r"expects x of shape \(N, 784\), got \(N, 28, 28\)"):
        Linear(784, 10, rng=rng).forward(np.zeros((2, 28, 28), np.float32))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Linear(0, 3),
        lambda: Linear(3, 2.5),
        lambda: Linear(True, 3),
        lambda: Linear(3, 2**40),
        lambda: Dropout(1.0),
        lambda: Dropout(-0.1),
        lambda: Dropout("half"),
        lambda: LeakyReLU(float("nan")),
    ],
)
def test_constructors_refuse_nonsense(make):
    """A hyperparameter out of range is refused by name and value."""
    with pytest.raises(ValueError, match=r"must be .*, got "):
        make()


def test_contract_is_abstract():
    """The base class says that a subclass must define the passes."""
    with pytest.raises(TypeError, match="no forward pass"):
        Layer().forward(np.zeros((1, 1)))
    with pytest.raises(TypeError, match="no backward pass"):
        Layer().backward(np.zeros((1, 1)))


def test_repr_shows_the_hyperparameters():
    """A layer's repr is the shortest call that makes it."""
    assert repr(Linear(3, 2, bias=False)) == "Linear(in_features=3, out_features=2, bias=False)"
    assert repr(Linear(3, 2)) == "Linear(in_features=3, out_features=2)"
    assert repr(ReLU()) == "ReLU()"
