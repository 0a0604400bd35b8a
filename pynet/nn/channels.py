"""Arithmetic by channel, the last axis: sums over all the others, and vectors spread over rows.

numpy's inner loops run along the last axes that lie together in memory. A channel axis alone is
short, and such loops spend their time on beginning; both functions make them longer.
"""

import math

import numpy as np


def channel_sum(x):
    """Sum over all axes but the last: (N, ..., C) to (C,)."""
    # Over the batch first: its inner loop is as long as an example.
    return (
        x.reshape(len(x), math.prod(x.shape[1:])).sum(axis=0).reshape(-1, x.shape[-1]).sum(axis=0)
    )


def channel_dot(x, y):
    """Sum ``x * y`` over all axes but the last: two of (N, ..., C) to (C,)."""
    flat = len(x), math.prod(x.shape[1:])
    dot = np.einsum("nk,nk->k", x.reshape(flat), y.reshape(flat))
    return dot.reshape(-1, x.shape[-1]).sum(axis=0)


def along_rows(vector, x):
    """Repeat a (C,) vector for each column of x: (W, C) for (N, H, W, C), itself for (N, C)."""
    return np.tile(vector, (x.shape[-2], 1)) if x.ndim > 2 else vector
