"""Sequential as a whole: passes, predictions, summary, and that it learns."""

import numpy as np
import pytest
from helpers import assert_directional

from pynet.nn import models, products, weights
from pynet.nn.activations import ReLU, Sigmoid, Softmax
from pynet.nn.average import ExponentialMovingAverage
from pynet.nn.fit import Progress, fit_epoch, train_step
from pynet.nn.layers import Flatten, Linear
from pynet.nn.losses import LOSSES, cross_entropy
from pynet.nn.network import Sequential
from pynet.nn.optim import SGD, Adam
from pynet.nn.schedules import Constant


@pytest.fixture
def network(rng):
    """Return a small network for 4x4 images and three classes."""
    return Sequential([Flatten(), Linear(16, 8, rng=rng), ReLU(), Linear(8, 3, rng=rng)])


@pytest.fixture
def images(rng):
    """Return 30 images of 4x4 pixels."""
    return rng.random((30, 4, 4, 1), np.float32)


@pytest.fixture
def targets(images):
    """Return classes that follow from the brightest of three rows."""
    return images[:, :3, :, 0].sum(axis=2).argmax(axis=1)


def test_params_are_paths_to_the_very_arrays(network):
    """Keys are layer.name, and writing to an array changes the network."""
    assert list(network.params) == ["1.weight", "1.bias", "3.weight", "3.bias"]
    network.params["3.bias"][:] = 7
    np.testing.assert_array_equal(network[3].params["bias"], 7)


@pytest.mark.parametrize("name", models.MODELS)
def test_whole_gradient(name, rng):
    """For each named model with its loss, all gradients agree with central differences."""
    network = models.build(name, rng=rng).astype(np.float64)
    x, targets = rng.random((3, 28, 28, 1)), np.array([1, 5, 9])
    loss = LOSSES[models.LOSSES[name]]

    def value():
        return loss(network.forward(x, training=True, cache=False), targets)[0]

    _, gradient = loss(network.forward(x, training=True), targets)
    dx = network.backward(gradient)
    assert_directional(value, x, dx, rng)
    for key, param in network.params.items():
        assert_directional(value, param, network.grads[key], rng)


def test_stopping_early_gives_the_same_gradients(network, images, targets):
    """Without the input gradient the parameters' gradients stay what they are."""
    _, gradient = cross_entropy(network.forward(images, training=True), targets)
    assert network.backward(gradient).shape == images.shape
    expected = {key: value.copy() for key, value in network.grads.items()}
    network.forward(images, training=True)
    assert network.backward(gradient, input_gradient=False) is None
    for key, value in expected.items():
        np.testing.assert_array_equal(network.grads[key], value)


def test_backward_through_layers_without_parameters():
    """A network with nothing to train has nothing to do without the input gradient."""
    network = Sequential([Flatten(), ReLU()])
    y = network.forward(np.ones((2, 3), np.float32), training=True)
    assert network.backward(y, input_gradient=False) is None


def test_saliency_at_inference(network, images, targets):
    """With cache=True the input gradient exists at inference too."""
    _, gradient = cross_entropy(network.forward(images, cache=True), targets)
    assert np.abs(network.backward(gradient)).max() > 0


@pytest.mark.parametrize(
    "last", [[], [Softmax()], [Sigmoid()]], ids=["logits", "softmax", "sigmoid"]
)
def test_probabilities(last, rng, images):
    """Whatever the network ends in, rows sum to one and agree with predict, in any batch size."""
    network = Sequential([Flatten(), Linear(16, 3, rng=rng), *last])
    p = network.predict_proba(images)
    assert p.shape == (30, 3)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(network.predict_proba(images, batch_size=7), p, rtol=1e-5)
    np.testing.assert_array_equal(network.predict(images), p.argmax(axis=1))


def test_no_images(network):
    """No images give no predictions."""
    assert network.predict(np.zeros((0, 4, 4, 1), np.float32)).shape == (0,)


def test_integers_are_refused(network):
    """Pixels in 0..255 are refused with what to do."""
    with pytest.raises(TypeError, match="got uint8: divide pixels by 255"):
        network.predict(np.zeros((1, 4, 4, 1), np.uint8))


def test_summary_of_the_classic():
    """The table of 784-128-10 holds the numbers that can be worked out by hand."""
    table = models.build("classic-relu").summary()
    lines = table.splitlines()
    assert lines[0].split() == ["layer", "output", "shape", "parameters", "multiply-adds"]
    assert lines[-1].split() == ["total", "101,770", "101,632"]
    assert "(128,)" in table
    assert max(map(len, lines)) <= 100


def test_convnet_is_small(rng):
    """The convolutional network keeps to the limits that the page and the repository set."""
    network = models.build("convnet", rng=rng)
    assert network.multiply_adds((28, 28, 1)) <= 8_000_000
    assert sum(param.size for param in network.params.values()) <= 250_000
    assert len(weights.dumps(network, {})) <= 500_000


def test_folded_convnet_answers_alike(rng):
    """Folded for the page, the convolutional network gives the same probabilities to 1e-5."""
    network = models.build("convnet", rng=rng)
    images = rng.random((20, 28, 28, 1), np.float32)
    for _ in range(5):
        network.forward(images, training=True)
    folded = network.fold()
    assert not folded.buffers
    np.testing.assert_allclose(
        folded.predict_proba(images), network.predict_proba(images), atol=1e-5
    )


def test_repr_and_sequence(network):
    """A network shows its layers, and can be walked through like a list."""
    assert "1: Linear(in_features=16, out_features=8)" in repr(network)
    assert len(network) == 4
    assert [type(layer).__name__ for layer in network] == ["Flatten", "Linear", "ReLU", "Linear"]


@pytest.mark.parametrize("layers", [[], [3], [ReLU]])
def test_what_is_no_layer_is_refused(layers):
    """A Sequential of nothing, or of things that are no layers, is refused."""
    with pytest.raises(ValueError, match="at least one Layer"):
        Sequential(layers)


def test_build_refuses_unknown_names():
    """An unknown model is refused with the names there are."""
    with pytest.raises(ValueError, match=r"mlp, classic-sigmoid, classic-relu.*got 'resnet'"):
        models.build("resnet")


def test_dropout_goes_into_every_hidden_layer(rng):
    """The dropout of a named model stands after each activation of a hidden layer."""
    network = models.build("mlp", rng=rng, dropout=0.3)
    assert [layer.rate for layer in network if type(layer).__name__ == "Dropout"] == [0.3, 0.3]


def test_one_step_goes_downhill(network, images, targets):
    """A small step along the gradient lowers the loss by rate * |gradient|^2."""
    optimizer = SGD(network.params, 1e-3)
    before = train_step(network, cross_entropy, optimizer, images, targets)
    slope = sum(float((gradient**2).sum()) for gradient in network.grads.values())
    after = cross_entropy(network.forward(images), targets)[0]
    assert before - after == pytest.approx(1e-3 * slope, rel=0.05)


def test_fit_learns_by_heart(network, images, targets):
    """A few hundred steps on 30 images end in no mistake, and every step is reported."""
    average = ExponentialMovingAverage(network.params, 0.9)
    progress = list(
        fit_epoch(
            network,
            cross_entropy,
            Adam(network.params),
            Constant(0.02, 300),
            [(images, targets)] * 300,
            step=5,
            average=average,
        )
    )
    assert progress[0] == Progress(6, 30, progress[0].loss)
    assert progress[-1].step == 305
    assert progress[-1].loss < 0.05 < progress[0].loss
    assert (network.predict(images) == targets).all()
    assert average.steps == 300


def test_fit_follows_the_schedule(network, images, targets):
    """Each step asks the schedule for its rate by the number of steps before it."""
    asked = []

    def schedule(step):
        asked.append(step)
        return 0.0

    before = network.params["1.weight"].copy()
    optimizer = SGD(network.params, 1.0)
    for _ in fit_epoch(
        network, cross_entropy, optimizer, schedule, [(images, targets)] * 3, step=2
    ):
        pass
    assert asked == [2, 3, 4]
    np.testing.assert_array_equal(network.params["1.weight"], before)


def test_both_products_agree(rng):
    """The product for numpy with BLAS and the one without give the same matrix."""
    x, weight = rng.standard_normal((5, 7)), rng.standard_normal((3, 7))
    np.testing.assert_allclose(products.multiply_blas(x, weight), x @ weight.T)
    np.testing.assert_allclose(products.multiply_plain(x, weight), x @ weight.T)
    for multiply in (products.multiply_blas, products.multiply_plain):
        out = np.zeros((5, 3))
        assert multiply(x, weight, out=out) is out
        np.testing.assert_allclose(out, x @ weight.T)
