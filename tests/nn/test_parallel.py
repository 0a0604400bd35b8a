"""Several threads find what one would, the same each time."""

import threading

import numpy as np
import pytest

from pynet.nn import memory, parallel
from pynet.nn.activations import ReLU
from pynet.nn.conv import Conv2d
from pynet.nn.fit import fit_epoch, train_step
from pynet.nn.layers import Dropout, Flatten, Layer, Linear
from pynet.nn.losses import cross_entropy
from pynet.nn.network import Sequential
from pynet.nn.norm import BatchNorm1d, BatchNorm2d
from pynet.nn.optim import SGD, Adam
from pynet.nn.schedules import Constant


@pytest.fixture
def batch(rng):
    """Return 11 images of 6x6 pixels in four classes."""
    return rng.random((11, 6, 6, 1)), rng.integers(0, 4, 11)


def plain(rng):
    """Return a network in which no example knows of another."""
    return Sequential(
        [
            Sequential([Conv2d(1, 3, 3, rng=rng), ReLU()]),
            Flatten(),
            Linear(48, 4, rng=rng),
        ]
    ).astype(np.float64)


def full(rng):
    """Return a network with everything that depends on the batch or on chance."""
    return Sequential(
        [
            Sequential([Conv2d(1, 3, 3, bias=False, rng=rng), BatchNorm2d(3), ReLU()]),
            Flatten(),
            Dropout(0.3, rng=rng),
            Linear(48, 8, bias=False, rng=rng),
            BatchNorm1d(8),
            Linear(8, 4, rng=rng),
        ]
    ).astype(np.float64)


@pytest.mark.parametrize("threads", [2, 3, 5, 20])
def test_gradients_of_the_whole_batch(threads, rng, batch):
    """Loss and gradients are those of one thread, also for parts of different length."""
    network, (x, targets) = plain(rng), batch
    value = parallel.gradients(network, cross_entropy, x, targets)
    expected = {name: gradient.copy() for name, gradient in network.grads.items()}
    assert len(expected) == 4
    assert parallel.gradients(network, cross_entropy, x, targets, threads=threads) == pytest.approx(
        value
    )
    for name, gradient in network.grads.items():
        np.testing.assert_allclose(gradient, expected[name], atol=1e-14)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_small_batches_are_not_divided(count, rng, batch):
    """No part has fewer than two examples, of which a batch norm could learn nothing."""
    network, (x, targets) = full(rng), batch
    seen = []
    network.layers[0].forward = lambda x, **_: seen.append(len(x)) or np.ones((len(x), 4, 4, 3))
    network.layers[0].backward = lambda dy, **_: None
    parallel.gradients(network, cross_entropy, x[:count], targets[:count], threads=2)
    assert seen == [count]


def test_batch_norm_sees_its_part(rng, batch):
    """Each part has statistics of its own; what is kept of them is their weighted mean."""
    network, (x, targets) = full(rng), batch
    network.layers[2].rate = 0.0
    parts = [slice(0, 5), slice(5, 11)]
    gradients, buffers = [], []
    for part in parts:
        alone = network.replica()
        _, gradient = cross_entropy(alone.forward(x[part], training=True), targets[part])
        alone.backward(gradient)
        gradients.append(alone.grads)
        buffers.append(alone.buffers)
    parallel.gradients(network, cross_entropy, x, targets, threads=2)
    for name, gradient in network.grads.items():
        mean = (5 * gradients[0][name] + 6 * gradients[1][name]) / 11
        np.testing.assert_allclose(gradient, mean, atol=1e-14)
    assert set(network.buffers) == set(buffers[0])
    for name, buffer in network.buffers.items():
        np.testing.assert_allclose(buffer, (5 * buffers[0][name] + 6 * buffers[1][name]) / 11)


def test_same_bits_every_time(batch):
    """Training with two threads ends in the same bits, dropout and batch norm included."""
    ends = []
    for _ in range(3):
        network = full(np.random.default_rng(5))
        optimizer = Adam(network.params, 0.01)
        values = [
            train_step(network, cross_entropy, optimizer, *batch, threads=2) for _ in range(6)
        ]
        ends.append((values, network.params, network.buffers))
    for values, params, buffers in ends[1:]:
        assert values == ends[0][0]
        for name, array in {**params, **buffers}.items():
            np.testing.assert_array_equal(array, {**ends[0][1], **ends[0][2]}[name])


def test_parts_drop_different_units():
    """A replica's dropout is not that of the layer it came from, nor of another replica."""
    layer = Dropout(0.5, rng=np.random.default_rng(1))
    x = np.ones((20, 20))
    masks = [each.forward(x, training=True) for each in (layer.replica(), layer.replica(), layer)]
    for i in range(3):
        assert (masks[i] != masks[i - 1]).mean() > 0.3


def test_replicas_share_weights_only(rng, batch):
    """A replica's weights are the very arrays; its statistics are not."""
    network = full(rng)
    replica = network.replica()
    for name, param in network.params.items():
        assert replica.params[name] is param
    before = {name: buffer.copy() for name, buffer in network.buffers.items()}
    replica.forward(batch[0], training=True)
    for name, buffer in network.buffers.items():
        np.testing.assert_array_equal(buffer, before[name])


def test_learning_with_threads(rng, batch):
    """A network learns a batch by heart with two threads as it does with one."""
    network, (x, targets) = plain(rng), batch
    progress = list(
        fit_epoch(
            network,
            cross_entropy,
            SGD(network.params, momentum=0.9),
            Constant(0.1, 80),
            [(x, targets)] * 80,
            threads=2,
        )
    )
    assert progress[-1].loss < 0.1 < progress[0].loss
    assert (network.predict(x) == targets).all()


@pytest.mark.parametrize("count", [0, 1, 2, 11])
@pytest.mark.parametrize("threads", [2, 3])
def test_predicting_with_threads(count, threads, rng, batch):
    """Probabilities are those of one thread, in order, also of fewer images than threads."""
    network, x = full(rng), batch[0][:count]
    expected = network.predict_proba(x)
    p = network.predict_proba(x, batch_size=2, threads=threads)
    np.testing.assert_allclose(p, expected, atol=1e-14)
    np.testing.assert_array_equal(network.predict(x, threads=threads), expected.argmax(axis=1))


def test_tasks_run_at_once():
    """Tasks that wait for each other come to an end, and results stand in order."""
    barrier = threading.Barrier(3, timeout=20)

    def task(number):
        barrier.wait()
        return number, threading.current_thread()

    results = parallel.run([lambda number=number: task(number) for number in range(3)])
    assert [number for number, _ in results] == [0, 1, 2]
    assert results[0][1] is threading.current_thread()
    assert len({thread for _, thread in results}) == 3


@pytest.mark.parametrize("broken", [0, 1])
def test_errors_come_through(broken):
    """An error in any part is raised once all are done, and the threads still work."""
    done = []

    def task(number):
        if number == broken:
            raise ValueError("part is broken")
        done.append(number)

    with pytest.raises(ValueError, match="part is broken"):
        parallel.run([lambda number=number: task(number) for number in range(2)])
    assert done == [1 - broken]
    assert parallel.run([lambda: 1, lambda: 2]) == [1, 2]


def test_scratch_memory_is_one_for_each_thread():
    """A thread gets the same memory again, grown where needed; another thread gets its own."""
    first = memory.scratch("test", (3, 4), np.float32)
    assert np.shares_memory(first, memory.scratch("test", (2, 2), np.float32))
    assert memory.scratch("test", (5, 7), np.float32).shape == (5, 7)
    assert not np.shares_memory(first, memory.scratch("other", (3, 4), np.float32))
    assert memory.scratch("test", (3, 4), np.float64).dtype == np.float64
    barrier = threading.Barrier(2, timeout=20)

    def task():
        mine = memory.scratch("test", (3, 4), np.float32)
        barrier.wait()
        return mine

    one, other = parallel.run([task, task])
    assert not np.shares_memory(one, other)


def test_layers_can_be_replicated_by_default():
    """A layer of one's own needs no code for this."""

    class Twice(Layer):
        def forward(self, x, *, training=False, cache=None):
            self._keep(True, training, cache)
            return 2 * x

    layer = Twice()
    layer.forward(np.ones(3), training=True)
    assert layer.replica()._cache is None
    assert layer._cache is True
