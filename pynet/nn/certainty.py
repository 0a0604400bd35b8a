"""What an answer is worth: probabilities made honest by a temperature, and no answer below a bound.

Both numbers are kept in the weights file; `pynet.workshop.calibration` finds them. The page and the
command lines apply them here and nowhere else.
"""

from dataclasses import dataclass

import numpy as np

from pynet.nn import checks
from pynet.nn.activations import softmax


@dataclass(frozen=True)
class Certainty:
    """Make a network's probabilities honest, and tell where it should rather not answer.

    Parameters
    ----------
    temperature : float
        What the logits are divided by, above 0; 1 leaves the probabilities as they are, more
        makes them less certain.
    threshold : float
        Where the `evidence` is less than this, in nats, the network refuses; 0 never does.
    """

    temperature: float = 1.0
    threshold: float = 0.0

    def __post_init__(self):
        checks.number("temperature", self.temperature, open_low=True)
        checks.number("threshold", self.threshold)

    @classmethod
    def of(cls, metadata):
        """Return what a weights file says; files from before there was a certainty refuse nothing.

        Parameters
        ----------
        metadata : dict
            As `pynet.nn.weights.load` returns it.

        Raises
        ------
        ValueError
            For numbers that cannot be meant.
        """
        stated = metadata.get("certainty", {})
        if not isinstance(stated, dict) or set(stated) - {"temperature", "threshold"}:
            raise ValueError(f"certainty must hold temperature and threshold, got {stated!r:.60}")
        return cls(**stated)

    def as_dict(self):
        """Return the numbers as a weights file keeps them."""
        return {"temperature": self.temperature, "threshold": self.threshold}

    def calibrate(self, probabilities):
        """Return the probabilities at this temperature: ``softmax(log(p) / temperature)``.

        Parameters
        ----------
        probabilities : (N, K) float ndarray
            Rows that sum to 1, as `Sequential.predict_proba` returns them.

        Returns
        -------
        (N, K) ndarray
            In the same order, row by row.

        Notes
        -----
        The log of a softmax is its logits but for a constant, which a second softmax drops: this
        is the temperature scaling of logits, for networks that end in a softmax as well.

        References
        ----------
        Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", ICML,
        section 4.2.
        """
        if self.temperature == 1:
            return probabilities
        logits = np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny))
        return softmax(logits / probabilities.dtype.type(self.temperature))

    def refuses(self, probabilities):
        """Tell for which rows of calibrated probabilities (N, K) there is too little evidence."""
        return evidence(probabilities) < self.threshold


def evidence(probabilities):
    """Measure how far an answer is from "none of them": the divergence of even shares from it.

    ``evidence = sum_k 1/K log((1/K) / p_k) = -log K - mean_k log p_k``, the Kullback-Leibler
    divergence of the answer from the uniform distribution.

    Parameters
    ----------
    probabilities : (N, K) float ndarray
        Rows that sum to 1, calibrated.

    Returns
    -------
    (N,) ndarray
        In nats: 0 where all classes are as probable as each other, the more the more classes are
        ruled out.

    Notes
    -----
    It is what a network has learnt to bring to 0 for what is no digit: there the loss is
    `losses.cross_entropy` with even targets, which is the evidence but for a constant. An answer
    that wavers between two digits still rules eight out, and is not refused, as it would be if the
    largest probability were asked (Hendrycks and Gimpel 2017); measured, see the model card.

    References
    ----------
    Hendrycks, Mazeika, Dietterich (2019), "Deep anomaly detection with outlier exposure", ICLR,
    section 3. Lee, Lee, Lee, Shin (2018), "Training confidence-calibrated classifiers for
    detecting out-of-distribution samples", ICLR, eq. 1, for the divergence in this direction.
    """
    logs = np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny))
    return -logs.mean(axis=1) - np.log(probabilities.shape[1])
