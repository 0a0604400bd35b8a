"""Connected parts of a picture, found by its runs: stretches of ink within one row."""

import numpy as np


def label_components(mask):
    """Number the connected parts of a mask; pixels touch by sides and by corners.

    Every run starts as its own part; then runs that touch take the lower number of the two, and
    the number of the run which that number names, until nothing changes.

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
    # One row after the other in a line; two cells of paper keep runs of different rows apart.
    line = np.zeros((height, width + 2), dtype=np.int8)
    line[:, 1:-1] = mask
    change = np.diff(line.ravel(), prepend=0, append=0)
    start, end = np.flatnonzero(change == 1), np.flatnonzero(change == -1)  # [start, end)
    upper, lower = _touching(start, end, width + 2)
    root = np.arange(len(start))
    while True:
        lowest = np.minimum(root[upper], root[lower])
        new = root.copy()
        np.minimum.at(new, upper, lowest)
        np.minimum.at(new, lower, lowest)
        new = new[new]
        if np.array_equal(new, root):
            break
        root = new
    number = np.unique(root, return_inverse=True)[1].reshape(-1) + 1
    labels = np.zeros(line.size, dtype=np.int64)
    labels[line.ravel() == 1] = np.repeat(number, end - start)
    return labels.reshape(line.shape)[:, 1:-1]


def _touching(start, end, row):
    """All pairs of runs in neighbouring rows that touch: numbers of the upper, of the lower."""
    first = np.searchsorted(end, start + row, side="left")  # ends beyond the left corner
    count = np.maximum(np.searchsorted(start, end + row, side="right") - first, 0)
    upper = np.repeat(np.arange(len(start)), count)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(count) - count, count)
    return upper, lower + np.repeat(first, count)
