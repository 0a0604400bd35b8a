"""Deal out shuffled, distorted batches, prepared in the background while the network learns.

numpy lets go of the interpreter lock inside its loops, so that a thread is enough. What a batch
holds depends on the seed, the epoch and its number, never on which thread made it or when.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pynet.workshop.drawn import NONE, Drawn
from pynet.workshop.metrics import CLASSES

# What a generator is for, so that no two purposes ever share random numbers.
SPLIT, WEIGHTS, ORDER, DISTORT, DRAW = range(5)
# Batches that wait ready or in work; enough to bridge a slow one.
AHEAD = 8


def generator(seed: int, purpose: int, epoch: int = 0, batch: int = 0) -> np.random.Generator:
    """Return the generator that belongs to one purpose, epoch and batch of a seed."""
    return np.random.default_rng([seed, purpose, epoch, batch])


def to_network(images):
    """Turn images into what a network reads: (N, 28, 28, 1) float32 in [0, 1].

    Parameters
    ----------
    images : (N, 28, 28) uint8 in 0..255 or float32 in [0, 1] ndarray
    """
    if images.dtype == np.uint8:
        images = images * np.float32(1 / 255)
    return images[..., None]


def distributions(labels):
    """Turn labels into rows of probabilities: one class, or all of them alike for `NONE`.

    Parameters
    ----------
    labels : (N,) int64 ndarray

    Returns
    -------
    (N, 10) float32 ndarray

    References
    ----------
    Hendrycks, Mazeika, Dietterich (2019), "Deep anomaly detection with outlier exposure", ICLR,
    section 3. There the uniform rows have a weight; here it is how many of them there are.
    """
    rows = np.eye(CLASSES, dtype=np.float32)[labels]
    rows[labels == NONE] = 1 / CLASSES
    return rows


def deal(images, labels, *, batch_size, seed, epoch, augment=None, workers=1, drawn=None):
    """Yield every image once, and images drawn for this epoch, in random order and distorted.

    Parameters
    ----------
    images : (N, 28, 28) uint8 ndarray
    labels : (N,) integer ndarray
    batch_size : int
        The last batch of an epoch may be smaller.
    seed, epoch : int
        Together they decide the order, every drawing and every distortion.
    augment : callable, optional
        Such as `augment.Augmenter`: (images, rng) -> (N, 28, 28) float32.
    workers : int
        Background threads; the result does not depend on it.
    drawn : Drawn, optional
        What is drawn anew for each epoch, beside the images given.

    Yields
    ------
    x : (B, 28, 28, 1) float32 ndarray in [0, 1]
    targets : (B,) int64 ndarray, or (B, 10) float32 ndarray
        Classes. Where `drawn` has what is no digit: rows of probabilities, see `distributions`.
    """
    drawn = drawn or Drawn()
    total = len(images) + len(drawn)
    order = generator(seed, ORDER, epoch).permutation(total)
    count = -(-total // batch_size)

    def mixed(rows, rng):
        x, targets = np.empty((len(rows), 28, 28), np.float32), np.empty(len(rows), np.int64)
        given = rows < len(images)  # left where they fell: a part of a batch is like the whole
        x[given] = images[rows[given]] * np.float32(1 / 255)
        targets[given] = labels[rows[given]]
        x[~given], targets[~given] = drawn.draw(rows[~given] - len(images), rng)
        return x, targets

    def prepare(number):
        rows = order[number * batch_size : (number + 1) * batch_size]
        if len(drawn):
            x, targets = mixed(rows, generator(seed, DRAW, epoch, number))
        else:
            x, targets = images[rows], labels[rows].astype(np.int64)
        if drawn.non_digits:
            targets = distributions(targets)
        if augment is not None:
            return augment(x, generator(seed, DISTORT, epoch, number))[..., None], targets
        return to_network(x), targets

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
