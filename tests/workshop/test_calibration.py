"""Temperature and threshold, against data whose right answer is known."""

import numpy as np
import pytest

from pynet.nn.activations import softmax
from pynet.nn.certainty import Certainty, evidence
from pynet.workshop.calibration import (
    certainty_of,
    choose_threshold,
    drawn_digits,
    fit_temperature,
)


def sample(rng, count, temperature):
    """Return probabilities that are too sharp by a temperature, and labels drawn honestly."""
    logits = 2 * rng.standard_normal((count, 10))
    honest = softmax(logits)
    labels = (honest.cumsum(axis=1) > rng.random((count, 1))).argmax(axis=1)
    return softmax(logits * temperature), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_temperature_is_found(temperature, rng):
    """What was sharpened by a factor is found to need that temperature."""
    found = fit_temperature([sample(rng, 20_000, temperature)])
    assert found == pytest.approx(temperature, rel=0.05)


def test_temperature_minimises(rng):
    """No other temperature makes the right classes more probable, sources weighing the same."""
    read = [sample(rng, 3000, 2.0), sample(rng, 300, 0.6)]

    def cost(temperature):
        return np.mean([
            -np.log(softmax(np.log(p) / temperature)[np.arange(len(p)), labels]).mean()
            for p, labels in read
        ])  # fmt: skip

    found = fit_temperature(read)
    least = cost(found)
    for factor in (0.5, 0.9, 0.99, 0.999, 1.001, 1.01, 1.1, 2.0):
        assert cost(found * factor) > least


def test_temperature_stays_in_bounds():
    """Where everything is right, the temperature stops at its lower bound."""
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert fit_temperature([(probabilities, np.array([0, 1]))], low=0.2) == pytest.approx(0.2)


def test_threshold_refuses_the_share(rng):
    """Of a thousand digits at most five fall below, and about that many do."""
    probabilities = softmax(3 * rng.standard_normal((1000, 10)))
    threshold = choose_threshold(probabilities, share=0.005)
    assert 4 <= (evidence(probabilities) < threshold).sum() <= 5
    assert choose_threshold(np.full((5, 4), 0.25), share=0.5) == 0


class Fixed:
    """A network whose answers are given by the images' first pixel."""

    def predict_proba(self, x):
        """Return what the first pixel says of class 0."""
        share = x[:, 0, 0, :]
        return np.concatenate([share, 1 - share], axis=1)


def test_certainty_takes_the_lowest_threshold(rng):
    """No source loses more than its share; without refusals the threshold is 0."""
    sources = []
    for low, share in ((0.6, 0.005), (0.8, 0.02)):
        images = np.zeros((400, 28, 28), np.float32)
        images[:, 0, 0] = rng.uniform(low, 1, 400)
        labels = (rng.random(400) > images[:, 0, 0]).astype(np.int64)
        sources.append((images, labels, share))
    found = certainty_of(Fixed(), sources, refuse=True)
    refused = [
        found.refuses(found.calibrate(Fixed().predict_proba(images[..., None]))).mean()
        for images, _, _ in sources
    ]
    assert 0 < refused[0] <= 0.005
    assert refused[1] <= 0.02
    assert certainty_of(Fixed(), sources, refuse=False).threshold == 0
    none = np.zeros((0, 28, 28), np.uint8)
    assert certainty_of(Fixed(), [(none, [], 0.1)], refuse=True) == Certainty()


def test_drawn_digits_are_always_the_same():
    """Every network is calibrated on the same drawings, as many of each digit."""
    (images, labels), (again, _) = drawn_digits(), drawn_digits()
    np.testing.assert_array_equal(images, again)
    assert np.bincount(labels).tolist() == [400] * 10
