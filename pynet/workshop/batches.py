"""Deal out shuffled, distorted batches, prepared in the background while the network learns.

numpy lets go of the interpreter lock inside its loops, so that a thread is enough. What a batch
holds depends on the seed, the epoch and its number, never on which thread made it or when.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

# What a generator is for, so that no two purposes ever share random numbers.
SPLIT, WEIGHTS, ORDER, DISTORT = range(4)
# Batches that wait ready or in work; enough to bridge a slow one.
AHEAD = 8


def generator(seed: int, purpose: int, epoch: int = 0, batch: int = 0) -> np.random.Generator:
    """Return the generator that belongs to one purpose, epoch and batch of a seed."""
    return np.random.default_rng([seed, purpose, epoch, batch])


def to_network(images):
    """Turn (N, 28, 28) uint8 images into what a network reads: (N, 28, 28, 1) float32 in [0, 1]."""
    return (images * np.float32(1 / 255))[..., None]


def deal(images, labels, *, batch_size, seed, epoch, augment=None, workers=1):
    """Yield every image once, in random order and distorted.

    Parameters
    ----------
    images : (N, 28, 28) uint8 ndarray
    labels : (N,) integer ndarray
    batch_size : int
        The last batch of an epoch may be smaller.
    seed, epoch : int
        Together they decide the order and every distortion.
    augment : callable, optional
        Such as `augment.Augmenter`: (images, rng) -> (N, 28, 28) float32.
    workers : int
        Background threads; the result does not depend on it.

    Yields
    ------
    x : (B, 28, 28, 1) float32 ndarray in [0, 1]
    targets : (B,) int64 ndarray
    """
    order = generator(seed, ORDER, epoch).permutation(len(images))
    count = -(-len(images) // batch_size)

    def prepare(number):
        rows = order[number * batch_size : (number + 1) * batch_size]
        targets = labels[rows].astype(np.int64)
        if augment is None:
            return to_network(images[rows]), targets
        rng = generator(seed, DISTORT, epoch, number)
        return augment(images[rows], rng)[..., None], targets

    pool = ThreadPoolExecutor(workers, thread_name_prefix="batches")
    try:
        waiting = deque(pool.submit(prepare, number) for number in range(min(AHEAD, count)))
        submitted = len(waiting)
        while waiting:
            batch = waiting.popleft().result()
            if submitted < count:
                waiting.append(pool.submit(prepare, submitted))
                submitted += 1
            yield batch
    finally:
        pool.shutdown(cancel_futures=True)
