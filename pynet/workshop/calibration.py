"""Find the temperature and the threshold of a trained network, on digits it has not learnt from."""

from __future__ import annotations

import numpy as np

from pynet.nn.certainty import Certainty
from pynet.workshop.batches import DRAW, generator, to_network
from pynet.workshop.drawn import Drawn

# Digits drawn to calibrate on, the same for every network, and how many of the digits of each
# source may be refused.
DIGITS = Drawn(digits=4000)
REFUSED = 0.005


def drawn_digits():
    """Return the drawn digits to validate and calibrate on: (4000, 28, 28) float32, and labels."""
    # No run trains on this generator: its epochs are counted from 0 and are fewer.
    return DIGITS.all(generator(0, DRAW, epoch=2**31))


def certainty_of(network, sources, *, refuse) -> Certainty:
    """Fit a certainty to a network.

    Parameters
    ----------
    network : Sequential
    sources : list of (images, labels)
        Held-back digits of each source: (N, 28, 28) uint8 or float32 ndarray, (N,) integer
        ndarray. Each source weighs the same, however many digits it has.
    refuse : bool
        Whether the network has learnt what is no digit; without that nothing is refused.

    Returns
    -------
    Certainty
        The threshold refuses at most `REFUSED` of each source.
    """
    sources = [(images, labels) for images, labels in sources if len(images)]
    if not sources:
        return Certainty()
    read = [(network.predict_proba(to_network(images)), labels) for images, labels in sources]
    temperature = round(fit_temperature(read), 4)
    certainty = Certainty(temperature)
    if not refuse:
        return certainty
    thresholds = [choose_threshold(certainty.calibrate(probabilities)) for probabilities, _ in read]
    return Certainty(temperature, min(thresholds))


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


def choose_threshold(probabilities, share=REFUSED) -> float:
    """Find the threshold below which no more than a share of the digits fall.

    Parameters
    ----------
    probabilities : (N, K) float ndarray
        Calibrated, of digits only.
    share : float in [0, 1)

    Returns
    -------
    float in [0, 1)
        Rounded down to four places, so that it is the same for whoever reads it.
    """
    best = np.sort(probabilities.max(axis=1))
    return float(np.floor(1e4 * min(best[int(share * len(best))], 0.9999)) / 1e4)
