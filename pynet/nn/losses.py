"""Losses: how wrong the outputs are, and which way each of them should move.

A loss returns its value, the mean over the batch, and the gradient of that value with respect to
the outputs it was given; `Sequential.backward` takes it from there.
"""

import numpy as np


def cross_entropy(logits, targets, label_smoothing=0.0):
    """Score a softmax over logits by the negative log of the right class's probability.

    ``loss = -mean_n sum_k q_nk log p_nk`` with ``p = softmax(logits)`` and
    ``q = (1 - s) t + s / K``, where t is ``one_hot(target)`` or the target itself;
    ``dlogits = (p - q) / N``.

    Parameters
    ----------
    logits : (N, K) float ndarray
        Scores before softmax, any size: the log-sum-exp is taken with the maximum off.
    targets : (N,) integer ndarray, or (N, K) ndarray
        Classes in 0..K-1, or for each example how probable every class shall be: rows of at least
        0 that sum to 1. ``1 / K`` throughout says "none of them", as for what is no digit.
    label_smoothing : float
        The share s in [0, 1) that is spread evenly over all classes.

    Returns
    -------
    loss : float
        Its minimum is the entropy of q, which is 0 without label smoothing and for classes only.
    dlogits : (N, K) ndarray

    References
    ----------
    Bishop (2006), "Pattern recognition and machine learning", eq. 4.108 and 4.109.
    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna (2016), "Rethinking the Inception architecture",
    section 7 (label smoothing).
    Hendrycks, Mazeika, Dietterich (2019), "Deep anomaly detection with outlier exposure", ICLR,
    section 3: the uniform target for what belongs to no class.
    """
    targets = np.asarray(targets)
    q = one_hot(targets, logits) if targets.ndim == 1 else _distributions(targets, logits)
    if label_smoothing:
        q *= 1 - label_smoothing
        q += label_smoothing / logits.shape[1]
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    loss = -float((q * log_p).sum()) / len(logits)
    dlogits = np.exp(log_p)
    dlogits -= q
    dlogits /= len(logits)
    return loss, dlogits


def binary_cross_entropy(logits, targets):
    """Score independent yes-or-no outputs, each a sigmoid over its logit.

    ``loss = -mean(t log p + (1 - t) log(1 - p))`` with ``p = sigmoid(logit)``;
    ``dlogits = (p - t) / size``.

    Parameters
    ----------
    logits : (N, ...) float ndarray
    targets : ndarray
        Of the same shape, in [0, 1].

    Returns
    -------
    loss : float
        The mean over all elements.
    dlogits : ndarray
        Of the shape of logits.

    Notes
    -----
    Written as ``max(z, 0) - z t + log(1 + exp(-|z|))``, which overflows for no z.
    """
    targets = _same_shape(targets, logits)
    small = np.exp(-np.abs(logits))
    loss = np.maximum(logits, 0) - logits * targets + np.log1p(small)
    p = np.where(logits >= 0, 1, small) / (1 + small)
    return float(loss.mean()), (p - targets) / logits.size


def mean_squared_error(outputs, targets):
    """Score outputs by their squared distance from the targets.

    ``loss = mean((y - t)^2)`` over all elements; ``dy = 2 (y - t) / size``.

    Parameters
    ----------
    outputs : (N, K) float ndarray
    targets : (N, K) ndarray, or (N,) integer ndarray
        Values, or classes in 0..K-1 that stand for one-hot rows.

    Returns
    -------
    loss : float
        The mean over all N*K elements.
    doutputs : (N, K) ndarray
    """
    targets = np.asarray(targets)
    if targets.ndim == 1 and outputs.ndim == 2:
        targets = one_hot(targets, outputs)
    difference = outputs - _same_shape(targets, outputs)
    loss = float((difference * difference).mean())
    return loss, difference * outputs.dtype.type(2 / outputs.size)


def one_hot(targets, outputs):
    """Return rows of zeros with a one at each target, of the shape and dtype of `outputs`.

    Raises
    ------
    ValueError
        Unless `targets` are N integers in 0..K-1.
    """
    targets = np.asarray(targets)
    count, classes = outputs.shape
    if targets.shape != (count,) or targets.dtype.kind not in "iu":
        raise ValueError(
            f"targets must be {count} integers, got {targets.dtype} of shape {targets.shape}"
        )
    if count and not 0 <= targets.min() <= targets.max() < classes:
        raise ValueError(
            f"targets must be in 0..{classes - 1}, got {targets.min()}..{targets.max()}"
        )
    rows = np.zeros_like(outputs)
    rows[np.arange(count), targets] = 1
    return rows


def _distributions(targets, outputs):
    """Return a copy of `targets` in the dtype of `outputs`, or raise where no row is probable."""
    rows = _same_shape(targets, outputs).copy()
    if not ((rows >= 0).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3)):
        raise ValueError("targets must be rows of at least 0 that sum to 1")
    return rows


def _same_shape(targets, outputs):
    """Return `targets` as an array, or raise where broadcasting would hide a mistake."""
    targets = np.asarray(targets, outputs.dtype)
    if targets.shape != outputs.shape:
        raise ValueError(f"targets must have shape {outputs.shape}, got {targets.shape}")
    return targets


LOSSES = {
    "cross_entropy": cross_entropy,
    "binary_cross_entropy": binary_cross_entropy,
    "mean_squared_error": mean_squared_error,
}
