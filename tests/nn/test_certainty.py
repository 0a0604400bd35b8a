"""Certainty: the temperature against numbers worked out by hand, refusals, and what files say."""

import numpy as np
import pytest

from pynet import WeightsError, build, loads
from pynet.nn.activations import softmax
from pynet.nn.certainty import Certainty
from pynet.nn.weights import dumps


def test_temperature_by_hand():
    """At temperature 1/2 the odds are squared: 1 : 2 : 5 become 1 : 4 : 25."""
    probabilities = np.array([[1.0, 2.0, 5.0]]) / 8
    cooler = Certainty(temperature=0.5).calibrate(probabilities)
    np.testing.assert_allclose(cooler, np.array([[1, 4, 25]]) / 30)
    np.testing.assert_array_equal(Certainty().calibrate(probabilities), probabilities)


@pytest.mark.parametrize("temperature", [0.3, 1.7])
def test_temperature_divides_logits(temperature, rng):
    """Calibrated probabilities are the softmax of the divided logits, in the same dtype."""
    logits = 5 * rng.standard_normal((20, 10)).astype(np.float32)
    found = Certainty(temperature).calibrate(softmax(logits))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, softmax(logits / np.float32(temperature)), atol=1e-6)
    np.testing.assert_array_equal(found.argmax(axis=1), logits.argmax(axis=1))


def test_certain_zeros():
    """A probability that is 0 in float32 stays without a warning."""
    found = Certainty(2.0).calibrate(np.array([[1.0, 0.0]], np.float32))
    np.testing.assert_allclose(found, [[1, 0]], atol=1e-15)


def test_refusal():
    """Refused is where the largest probability is below the threshold; 0 refuses nothing."""
    probabilities = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.25], [1 / 3, 1 / 3, 1 / 3]])
    assert Certainty(threshold=0.45).refuses(probabilities).tolist() == [False, True, True]
    assert not Certainty().refuses(probabilities).any()


def test_files_keep_it():
    """What a file states comes back; files without it refuse nothing."""
    network = build("classic-relu", rng=np.random.default_rng(0))
    stated = Certainty(1.25, 0.4)
    _, metadata = loads(dumps(network, {"certainty": stated.as_dict()}))
    assert Certainty.of(metadata) == stated
    _, metadata = loads(dumps(network, {}))
    assert Certainty.of(metadata) == Certainty(1.0, 0.0)


@pytest.mark.parametrize(
    "stated",
    [
        {"temperature": 0},
        {"temperature": "1"},
        {"temperature": 1.0, "threshold": 1.0},
        {"threshold": -0.1},
        {"other": 1},
        [1.0, 0.5],
        None,
    ],
)
def test_hostile_files(stated):
    """Numbers that cannot be meant are refused with the name of the file."""
    network = build("classic-relu", rng=np.random.default_rng(0))
    with pytest.raises(WeightsError, match=r"^x\.npz: (temperature|threshold|certainty) must"):
        loads(dumps(network, {"certainty": stated}), name="x.npz")
