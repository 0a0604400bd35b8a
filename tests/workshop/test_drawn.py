"""What is drawn for training: the right numbers of each, and a place in every batch."""

import numpy as np
import pytest
from workshop.samples import digits

from pynet.workshop.augment import Augmenter
from pynet.workshop.batches import deal, distributions
from pynet.workshop.drawn import NONE, Drawn

IMAGES, LABELS = digits(60)
DRAWN = Drawn(digits=40, non_digits=30)


def epoch(**changes):
    """Return all batches of an epoch with drawings."""
    options = {"batch_size": 16, "seed": 1, "epoch": 0, "drawn": DRAWN} | changes
    return list(deal(IMAGES, LABELS, **options))


def test_all_are_drawn(rng):
    """As many of each digit, the others last, all with ink in [0, 1]."""
    images, labels = DRAWN.all(rng)
    assert images.dtype == np.float32
    assert images.shape == (70, 28, 28)
    assert labels.tolist() == [*(n % 10 for n in range(40)), *[NONE] * 30]
    assert 0 <= images.min() <= images.max() <= 1
    assert (images.max(axis=(1, 2)) > 0.5).all()


def test_distributions():
    """A label becomes a row with a one; what is no digit becomes an even row."""
    rows = distributions(np.array([3, NONE]))
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows[0], np.eye(10)[3])
    np.testing.assert_allclose(rows[1], 0.1)


def test_everything_is_dealt_once():
    """An epoch holds every image as it was, and the drawings with their targets."""
    batches = epoch()
    x = np.concatenate([x for x, _ in batches])
    targets = np.concatenate([targets for _, targets in batches])
    assert len(x) == 130
    none = np.isclose(targets, 0.1).all(axis=1)
    assert none.sum() == 30
    counts = np.bincount(LABELS, minlength=10) + 4
    assert np.bincount(targets[~none].argmax(axis=1), minlength=10).tolist() == counts.tolist()
    given = {image.tobytes() for image in (IMAGES * np.float32(1 / 255))}
    found = [(row.tobytes(), t.argmax()) for row, t in zip(x, targets, strict=True)]
    images = (IMAGES * np.float32(1 / 255))[..., None]
    pairs = {(row.tobytes(), label) for row, label in zip(images, LABELS, strict=True)}
    assert pairs <= set(found)
    assert len([row for row, _ in found if row in given]) == 60


def test_every_part_of_a_batch_is_mixed():
    """Batches do not begin with the given images: batch norm sees the same mixture in each part."""
    given = {image.tobytes() for image in (IMAGES * np.float32(1 / 255))}
    x = np.concatenate([x for x, _ in epoch(batch_size=130)])
    first = [image.tobytes() in given for image in x]
    assert 15 < sum(first[:65]) < 45


def test_without_non_digits_targets_are_classes():
    """Digits alone keep integer targets."""
    for _, targets in epoch(drawn=Drawn(digits=40)):
        assert targets.dtype == np.int64
        assert targets.min() >= 0


@pytest.mark.parametrize("workers", [2, 3])
def test_threads_do_not_matter(workers):
    """However many threads draw, the drawings are the same; another epoch has others."""
    augment = Augmenter(rotation=10)
    plain, threaded = epoch(augment=augment), epoch(augment=augment, workers=workers)
    for (x, targets), (other, other_targets) in zip(plain, threaded, strict=True):
        np.testing.assert_array_equal(x, other)
        np.testing.assert_array_equal(targets, other_targets)
    one, two = ({row.tobytes() for x, _ in epoch(epoch=n) for row in x} for n in (0, 1))
    assert len(one & two) <= 60  # the given images, and no drawing
