"""Connected parts of a picture."""

import numpy as np


def label_components(mask):
    """Number the connected parts of a mask; pixels touch by sides and by corners.

    Every pixel starts as its own part; then each takes the lowest number among its neighbours,
    and the number of the pixel which that number names, until nothing changes.

    Parameters
    ----------
    mask : (H, W) bool ndarray
        True where there is something.

    Returns
    -------
    labels : (H, W) int64 ndarray
        0 where the mask is False, else the part's number, from 1, in reading order.

    References
    ----------
    Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm", J. Algorithms 3, 1982:
    taking neighbours' numbers and jumping along them in turn.
    """
    height, width = mask.shape
    outside = mask.size
    root = np.full((height + 2, width + 2), outside, dtype=np.int64)
    inner = root[1:-1, 1:-1]
    inner[...] = np.where(mask, np.arange(mask.size).reshape(mask.shape), outside)
    while True:
        rows = np.minimum(np.minimum(root[:-2], root[1:-1]), root[2:])
        lowest = np.minimum(np.minimum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
        jumped = np.append(inner.ravel(), outside)[lowest]
        new = np.where(mask, np.minimum(lowest, jumped), outside)
        if np.array_equal(new, inner):
            break
        inner[...] = new
    roots, labels = np.unique(inner, return_inverse=True)
    labels = labels.reshape(mask.shape) + 1
    return np.where(mask, labels, 0)
