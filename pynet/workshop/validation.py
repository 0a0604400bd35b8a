"""Hold images back to choose by, and score a network on them."""

from __future__ import annotations

import numpy as np

from pynet.workshop.batches import SPLIT, generator, to_network


class TrainingError(ValueError):
    """Training cannot go on; the message says why in one line."""


def split(images, labels, share):
    """Set a share of the training images aside, always the same ones, to choose by.

    Returns
    -------
    (images, labels), (images, labels)
        What to train on and what to validate on.
    """
    held = round(share * len(images))
    if held == 0:
        return (images, labels), (images[:0], labels[:0])
    order = generator(0, SPLIT).permutation(len(images))
    rest, validation = np.sort(order[held:]), np.sort(order[:held])
    if len(rest) == 0:
        raise TrainingError(f"a validation share of {share} leaves no image to train on")
    return (images[rest], labels[rest]), (images[validation], labels[validation])


def score(network, loss, images, labels, batch_size=500):
    """Return mean loss and accuracy of a network on (N, 28, 28) images, see `to_network`."""
    total, right = 0.0, 0
    for start in range(0, len(images), batch_size):
        targets = labels[start : start + batch_size].astype(np.int64)
        outputs = network.forward(to_network(images[start : start + batch_size]))
        total += loss(outputs, targets)[0] * len(targets)
        right += int((outputs.argmax(axis=1) == targets).sum())
    return total / len(images), right / len(images)
