"""Find the temperature and the threshold of a trained network, on digits it has not learnt from."""

from __future__ import annotations

import numpy as np

from pynet.nn.certainty import Certainty, evidence
from pynet.workshop.batches import DRAW, generator, to_network
from pynet.workshop.drawn import Drawn

# Digits drawn to calibrate on, the same for every network.
DIGITS = Drawn(digits=4000)
# How many digits of each source may be refused. Drawn ones are wilder than what people draw.
REFUSED, REFUSED_DRAWN = 0.005, 0.01


def drawn_digits():
    """Return the drawn digits to validate and calibrate on: (4000, 28, 28) float32, and labels."""
    # No run trains on this generator: its epochs are counted from 0 and are fewer.
    return DIGITS.all(generator(0, DRAW, epoch=2**31))


def certainty_of(network, sources, *, refuse) -> Certainty:
    """Fit a certainty to a network.

    Parameters
    ----------
    network : Sequential
    sources : list of (images, labels, share)
        Held-back digits of each source: (N, 28, 28) uint8 or float32 ndarray, (N,) integer
        ndarray, and the share of them that may be refused. Each source weighs the same, however
        many digits it has.
    refuse : bool
        Whether the network has learnt what is no digit; without that nothing is refused.

    Returns
    -------
    Certainty
        With the highest threshold that refuses no more of any source than it may.
    """
    sources = [source for source in sources if len(source[0])]
    if not sources:
        return Certainty()
    read = [(network.predict_proba(to_network(images)), labels) for images, labels, _ in sources]
    certainty = Certainty(round(fit_temperature(read), 4))
    if not refuse:
        return certainty
    thresholds = [
        choose_threshold(certainty.calibrate(probabilities), share)
        for (probabilities, _), (_, _, share) in zip(read, sources, strict=True)
    ]
    return Certainty(certainty.temperature, min(thresholds))


def fit_temperature(read, low=0.05, high=20.0) -> float:
    """Find the temperature that makes the right classes most probable.

    It minimises ``mean(-log softmax(z / T)[label])``, the mean over the sources of the mean over
    their digits; that is convex in 1 / T, so that the sign of its slope leads to the minimum.

    Parameters
    ----------
    read : list of (probabilities, labels)
        (N, K) float ndarray of rows that sum to 1, (N,) integer ndarray.
    low, high : float
        Temperatures to stay between.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", section 4.2.
    """

    def slope(inverse):
        """Derivative by 1 / T: how far the mean logit exceeds that of the right class."""
        certainty = Certainty(1 / inverse)
        return np.mean([
            ((certainty.calibrate(p) * z).sum(axis=1) - z[np.arange(len(z)), labels]).mean()
            for p, z, labels in logits
        ])  # fmt: skip

    logits = []
    for probabilities, labels in read:
        p = np.maximum(probabilities.astype(np.float64), np.finfo(np.float32).tiny)
        logits.append((p, np.log(p), labels))
    least, most = 1 / high, 1 / low
    for _ in range(50):
        middle = np.sqrt(least * most)
        if slope(middle) < 0:
            least = middle
        else:
            most = middle
    return float(1 / middle)


def choose_threshold(probabilities, share) -> float:
    """Find the highest threshold that refuses no more than a share of the digits.

    Parameters
    ----------
    probabilities : (N, K) float ndarray
        Calibrated, of digits only.
    share : float in [0, 1)

    Returns
    -------
    float
        In nats, rounded down to three places, so that a sum rounded otherwise changes nothing.
    """
    least = np.sort(evidence(probabilities))[int(share * len(probabilities))]
    return float(np.floor(1e3 * max(least, 0)) / 1e3)
