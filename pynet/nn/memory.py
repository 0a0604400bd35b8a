"""Scratch memory that is kept from call to call, one set for each thread.

A convolution copies windows of its input into a buffer small enough to stay in the processor's
second-level cache, and uses it again and again. What leaves a layer never lies in such memory.
"""

import math
import threading

import numpy as np

# Bytes of the largest buffer: with what is read and written beside it, about 1 MiB of cache.
BLOCK_BYTES = 2**19

_kept = threading.local()


def scratch(name, shape, dtype):
    """Return an array of unspecified content, over the memory this thread keeps under `name`.

    It is good until the same thread asks for the same name again; it must not be returned to a
    caller, nor kept for a backward pass.

    Parameters
    ----------
    name : str
    shape : tuple of int
    dtype : numpy dtype

    Returns
    -------
    ndarray
    """
    count = math.prod(shape)
    key = name, np.dtype(dtype)
    buffers = _kept.__dict__
    if key not in buffers or buffers[key].size < count:
        buffers[key] = np.empty(count, dtype)
    return buffers[key][:count].reshape(shape)


def block_length(items, item_bytes):
    """Return how many of `items` to treat at once so that they fill a block: at least one."""
    return max(1, min(items, BLOCK_BYTES // max(1, item_bytes)))
