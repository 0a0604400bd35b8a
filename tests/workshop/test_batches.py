"""Batches: every image once, the same whatever the threads do."""

import threading
import time

import numpy as np
import pytest
from workshop.samples import digits

from pynet.workshop.augment import Augmenter
from pynet.workshop.batches import deal, generator

IMAGES, LABELS = digits(100)


def collect(**changes):
    """Return all batches of an epoch, one after the other."""
    options = {"batch_size": 16, "seed": 1, "epoch": 0} | changes
    return list(deal(IMAGES, LABELS, **options))


def test_every_image_once():
    """An epoch is a permutation of the images with their labels."""
    batches = collect()
    assert [len(x) for x, _ in batches] == [16] * 6 + [4]
    x = np.concatenate([x for x, _ in batches])
    targets = np.concatenate([targets for _, targets in batches])
    assert x.dtype == np.float32
    assert targets.dtype == np.int64
    dealt = {(row.tobytes(), label) for row, label in zip(x, targets, strict=True)}
    images = (IMAGES * np.float32(1 / 255))[..., None]
    assert dealt == {(row.tobytes(), label) for row, label in zip(images, LABELS, strict=True)}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_do_not_matter(workers):
    """However many threads prepare them, and however slow some are, batches are the same."""

    def slow(images, rng):
        result = Augmenter(rotation=20, elastic=1)(images, rng)
        time.sleep(0.02 * (threading.get_ident() % 3))
        return result

    plain = collect(augment=Augmenter(rotation=20, elastic=1))
    threaded = collect(augment=slow, workers=workers)
    for (x, targets), (other, other_targets) in zip(plain, threaded, strict=True):
        np.testing.assert_array_equal(x, other)
        np.testing.assert_array_equal(targets, other_targets)


def test_seed_and_epoch_matter():
    """Another seed or epoch deals in another order."""
    first = np.concatenate([targets for _, targets in collect()])
    for changes in ({"seed": 2}, {"epoch": 1}):
        other = np.concatenate([targets for _, targets in collect(**changes)])
        assert not np.array_equal(first, other)


def test_generators_differ():
    """No two purposes, epochs or batches share random numbers."""
    keys = [(0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 1, 0), (0, 1, 0, 1), (1, 0, 0, 0)]
    assert len({generator(*key).random() for key in keys}) == len(keys)


def test_errors_come_through():
    """What goes wrong in a thread is raised where the batches are used."""

    def broken(images, rng):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        collect(augment=broken)


def test_leaving_early_ends_the_threads():
    """Closing the generator leaves no thread behind."""
    batches = deal(IMAGES, LABELS, batch_size=4, seed=0, epoch=0)
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]
