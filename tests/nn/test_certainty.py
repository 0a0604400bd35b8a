"""Certainty: the temperature against numbers worked out by hand, refusals, and what files say."""

import numpy as np
import pytest

from pynet import WeightsError, build, loads
from pynet.nn.activations import softmax
from pynet.nn.certainty import Certainty, evidence
from pynet.nn.losses import cross_entropy
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


def test_evidence_by_hand():
    """Shares of 1/2, 1/4, 1/4 are log(32 / 27) / 3 from even ones, and even ones are 0."""
    rows = np.array([[0.5, 0.25, 0.25], [1 / 3, 1 / 3, 1 / 3]])
    np.testing.assert_allclose(evidence(rows), [np.log(32 / 27) / 3, 0], atol=1e-15)
    assert np.isfinite(evidence(np.array([[1.0, 0.0]], np.float32))).all()


def test_evidence_is_the_loss_of_even_targets(rng):
    """What training brings down for what is no digit is the evidence, but for log K."""
    logits = rng.standard_normal((5, 10))
    loss, _ = cross_entropy(logits, np.full((5, 10), 0.1))
    assert evidence(softmax(logits)).mean() == pytest.approx(loss - np.log(10))


def test_refusal():
    """Refused is where the evidence is below the threshold; 0 refuses nothing."""
    sure, torn, lost = np.full((3, 10), 1e-4)
    sure[3], torn[[4, 9]], lost[:] = 1 - 9e-4, 0.5 - 4e-4, 0.1
    rows = np.array([sure, torn, lost])
    assert Certainty(threshold=1.0).refuses(rows).tolist() == [False, False, True]
    assert Certainty(threshold=5.5).refuses(rows).tolist() == [False, True, True]
    assert not Certainty().refuses(rows).any()


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
        {"temperature": 1.0, "threshold": "1.0"},
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
