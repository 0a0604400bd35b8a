"""Optimisers against numbers worked out by hand, and the average of weights."""

import numpy as np
import pytest

from pynet.nn import optim
from pynet.nn.average import ExponentialMovingAverage
from pynet.nn.optim import OPTIMIZERS, SGD, Adam, AdamW


def run(optimizer, param, gradients):
    """Step once for each gradient and return what the parameter was after each."""
    seen = []
    for gradient in gradients:
        optimizer.step({"p": np.full_like(param, gradient)})
        seen.append(float(param.flat[0]))
    return seen


@pytest.fixture
def bias():
    """Return a parameter of one axis at 1.0, to which no weight decay applies."""
    return np.ones(1)


@pytest.fixture
def weight():
    """Return a parameter of two axes at 1.0."""
    return np.ones((1, 1))


def test_sgd(bias):
    """Plain SGD walks against the gradient."""
    assert run(SGD({"p": bias}, 0.1), bias, [1, 2]) == pytest.approx([0.9, 0.7])


def test_momentum(bias):
    """With momentum 0.9 and g = 1 the velocity is 1, 1.9, 2.71."""
    optimizer = SGD({"p": bias}, 0.1, momentum=0.9)
    assert run(optimizer, bias, [1, 1, 1]) == pytest.approx([0.9, 0.71, 0.439])


def test_nesterov(bias):
    """With Nesterov's form the steps are 1.9, 2.71, 3.439 times the rate."""
    optimizer = SGD({"p": bias}, 0.1, momentum=0.9, nesterov=True)
    assert run(optimizer, bias, [1, 1, 1]) == pytest.approx([0.81, 0.539, 0.1951])


def test_sgd_weight_decay(weight, bias):
    """Decay adds 0.5 p to the gradient of a weight, and nothing to that of a bias."""
    assert run(SGD({"p": weight}, 0.1, weight_decay=0.5), weight, [0, 0]) == pytest.approx(
        [0.95, 0.9025]
    )
    assert run(SGD({"p": bias}, 0.1, weight_decay=0.5), bias, [0]) == [1.0]


def test_adam(bias):
    """The first step is the rate; after g = 1, -1 the second is 0.1 * 0.01 / 0.19 back."""
    assert run(Adam({"p": bias}, 0.1), bias, [1, -1]) == pytest.approx([0.9, 0.9 + 0.001 / 0.19])


def test_adam_does_not_see_the_size_of_gradients(bias):
    """A constant gradient of any size moves the parameter by the rate each step."""
    assert run(Adam({"p": bias}, 0.1), bias, [40, 40, 40]) == pytest.approx([0.9, 0.8, 0.7])


def test_adam_eps_stands_beside_the_corrected_root(bias):
    """With eps = 1 and g = 1 the first step is the rate over 2, bias corrections and all."""
    assert run(Adam({"p": bias}, 0.1, eps=1.0), bias, [1]) == pytest.approx([0.95])


def test_weight_decay_of_adam_and_adamw(weight):
    """With no gradient but decay, Adam takes a whole step and AdamW shrinks by rate * decay."""
    other = weight.copy()
    assert run(Adam({"p": weight}, 0.1, weight_decay=0.1), weight, [0]) == pytest.approx([0.9])
    assert run(AdamW({"p": other}, 0.1, weight_decay=0.1), other, [0]) == pytest.approx([0.99])


def test_adamw_leaves_biases(weight, bias):
    """AdamW shrinks a weight before its step, and a bias not at all."""
    assert run(AdamW({"p": weight}, 0.1, weight_decay=0.1), weight, [1]) == pytest.approx([0.89])
    assert run(AdamW({"p": bias}, 0.1, weight_decay=0.1), bias, [1]) == pytest.approx([0.9])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_in_place_and_leave_gradients(name, rng):
    """The arrays handed over are the ones that move; gradients are read only."""
    param = rng.standard_normal((3, 2)).astype(np.float32)
    before, gradient = param.copy(), rng.standard_normal((3, 2)).astype(np.float32)
    kept = gradient.copy()
    OPTIMIZERS[name]({"p": param}, weight_decay=0.1).step({"p": gradient})
    assert (param != before).all()
    assert param.dtype == np.float32
    np.testing.assert_array_equal(gradient, kept)


@pytest.mark.parametrize(
    ("name", "options"),
    [("sgd", {"momentum": 0.9}), ("sgd", {}), ("adam", {}), ("adamw", {})],
)
def test_state_resumes_bit_for_bit(name, options, rng):
    """Two steps, a save, a load and two more equal four steps."""
    gradients = [{"p": rng.standard_normal((3, 2)).astype(np.float32)} for _ in range(4)]
    straight = rng.standard_normal((3, 2)).astype(np.float32)
    resumed = straight.copy()
    optimizer = OPTIMIZERS[name]({"p": straight}, 0.01, **options)
    for gradient in gradients:
        optimizer.step(gradient)
    first = OPTIMIZERS[name]({"p": resumed}, 0.01, **options)
    for gradient in gradients[:2]:
        first.step(gradient)
    second = OPTIMIZERS[name]({"p": resumed}, 0.01, **options)
    second.load_state_dict(first.state_dict())
    for gradient in gradients[2:]:
        second.step(gradient)
    np.testing.assert_array_equal(resumed, straight)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_pieces_and_threads_change_nothing(name, rng, monkeypatch):
    """Cut into pieces of any size, for any number of threads, a step ends in the same bits."""
    start = {"a": rng.standard_normal((7, 5)), "b": rng.standard_normal(3), "c": np.ones((1, 1))}
    start["transposed"] = rng.standard_normal((4, 6)).T
    grads = {key: rng.standard_normal(value.shape) for key, value in start.items()}
    ends = []
    for piece, threads in [(100, 1), (4, 1), (4, 3), (1, 2), (100, 9)]:
        monkeypatch.setattr(optim, "PIECE", piece)
        params = {key: value.copy(order="K") for key, value in start.items()}
        optimizer = OPTIMIZERS[name](params, 0.1, weight_decay=0.01)
        for _ in range(3):
            optimizer.step(grads, threads=threads)
        ends.append(params)
    for key, expected in ends[0].items():
        assert (expected != start[key]).all()
        for params in ends[1:]:
            np.testing.assert_array_equal(params[key], expected)


def test_state_that_does_not_fit():
    """A state of another network is refused by key and shape."""
    optimizer = Adam({"p": np.zeros(3)})
    with pytest.raises(ValueError, match=r"mean\.p must have shape \(3,\), got \(2,\)"):
        optimizer.load_state_dict({"mean.p": np.zeros(2), "steps": 1})
    with pytest.raises(ValueError, match="got nothing"):
        ExponentialMovingAverage({"p": np.zeros(3)}, 0.9).load_state_dict({"steps": 1})


@pytest.mark.parametrize(
    "make",
    [
        lambda p: SGD(p, -0.1),
        lambda p: SGD(p, float("nan")),
        lambda p: SGD(p, 0.1, momentum=1.0),
        lambda p: Adam(p, 0.1, beta2=1.0),
        lambda p: Adam(p, 0.1, eps=0.0),
        lambda p: AdamW(p, 0.1, weight_decay=-1),
        lambda p: ExponentialMovingAverage(p, 1.0),
    ],
)
def test_bad_options(make, bias):
    """Options out of range are refused by name and value."""
    with pytest.raises(ValueError, match=r"must be in .*, got "):
        make({"p": bias})


def test_nesterov_needs_momentum(bias):
    """Nesterov's form without momentum is refused."""
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        SGD({"p": bias}, nesterov=True)


def test_average_by_hand():
    """At step t the average keeps min(decay, (1 + t) / (10 + t)) of itself."""
    average = ExponentialMovingAverage({"p": np.zeros(1)}, decay=0.2)
    average.update({"p": np.array([11.0])})
    assert average.average["p"] == pytest.approx([11 * (1 - 2 / 11)])
    average.update({"p": np.array([0.0])})
    assert average.average["p"] == pytest.approx([9 * 0.2])


def test_average_resumes(rng):
    """A state that is loaded goes on as the one it came from."""
    params = [{"p": rng.standard_normal(3)} for _ in range(4)]
    straight = ExponentialMovingAverage(params[0], 0.5)
    for value in params:
        straight.update(value)
    first = ExponentialMovingAverage(params[0], 0.5)
    for value in params[:2]:
        first.update(value)
    second = ExponentialMovingAverage(params[3], 0.5)
    second.load_state_dict(first.state_dict())
    for value in params[2:]:
        second.update(value)
    np.testing.assert_array_equal(second.average["p"], straight.average["p"])
