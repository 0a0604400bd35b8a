"""Judge predictions: accuracy as a whole and per class, confusion, calibration, worst mistakes."""

from __future__ import annotations

import numpy as np

CLASSES = 10
BINS = 15


def judge(probabilities, labels, refused) -> dict:
    """Compute every figure that `pynet.evaluate` reports.

    Parameters
    ----------
    probabilities : (N, 10) float ndarray
        Rows that sum to 1.
    labels : (N,) integer ndarray in 0..9
    refused : (N,) bool ndarray
        Where the network says that it sees no digit.

    Returns
    -------
    dict
        accuracy : float. count : int. per_class : dict of "0".."9" to the share of that digit
        that was read right, None for a digit that does not occur. calibration_error : float.
        confusion : list of 10 lists; row d, column p is the share of digit d that was read as p.
        refused : float; refused_per_class as per_class. All shares are fractions in 0..1, of all
        digits: accuracy and confusion count the best guess where a digit was refused, too.
    """
    predicted = probabilities.argmax(axis=1)
    counts = confusion_counts(predicted, labels)
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    return {
        "accuracy": float((predicted == labels).mean()),
        "count": len(labels),
        "per_class": {
            str(digit): float(shares[digit, digit]) if totals[digit] else None
            for digit in range(CLASSES)
        },
        "calibration_error": calibration_error(probabilities, labels),
        "confusion": shares.tolist(),
        "refused": float(refused.mean()),
        "refused_per_class": {
            str(digit): float(refused[labels == digit].mean()) if totals[digit] else None
            for digit in range(CLASSES)
        },
    }


def confusion_counts(predicted, labels):
    """Count how often each digit (row) was read as each (column): (10, 10) int64."""
    places = labels.astype(np.int64) * CLASSES + predicted
    return np.bincount(places, minlength=CLASSES**2).reshape(CLASSES, CLASSES)


def calibration_error(probabilities, labels, bins=BINS) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy.

    ``ECE = sum_b n_b / N |accuracy_b - confidence_b|`` over `bins` equal intervals (low, high] of
    the confidence, the largest probability of each row.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), "On calibration of modern neural networks", ICML, eq. 3,
    with its 15 bins.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    # ceil gives (low, high]; a row in doubt about rounding above 1 stays in the last bin
    places = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    gaps = np.bincount(places, weights=right - confidence.astype(np.float64), minlength=bins)
    return float(np.abs(gaps).sum() / len(labels))


def worst_mistakes(probabilities, labels, count):
    """Return the indices of the mistakes made with most confidence, the worst first."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    order = np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")
    return wrong[order[:count]]
