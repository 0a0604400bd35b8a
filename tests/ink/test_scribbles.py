"""What is no digit: every kind is drawn, each time differently, and none is a digit by design."""

import numpy as np
import pytest

from pynet.ink import letters, scribbles
from pynet.ink.skeletons import parse


@pytest.mark.parametrize("kind", scribbles.KINDS)
def test_every_kind_has_ink(kind, rng):
    """Each drawing of a kind differs from the others and gives an image with ink in [0, 1]."""
    images = scribbles.images([kind] * 50, rng=rng)
    assert images.shape == (50, 28, 28)
    assert images.dtype == np.float32
    assert images.min() >= 0
    np.testing.assert_allclose(images.max(axis=(1, 2)), 1, atol=1e-6)
    assert len({image.tobytes() for image in images}) == 50


def test_seed_decides():
    """The same state of the generator draws the same, another does not."""
    kinds = scribbles.choose(40, rng=np.random.default_rng(0))
    one, same, other = (
        scribbles.images(kinds, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any(axis=(1, 2)).all()


def test_shares(rng):
    """Kinds come as often as the table says, to within four standard deviations."""
    kinds = scribbles.choose(5000, rng=rng)
    for kind, share in scribbles.SHARES.items():
        assert abs(kinds.count(kind) - 5000 * share) < 4 * np.sqrt(5000 * share * (1 - share))
    assert sum(scribbles.SHARES.values()) == pytest.approx(1)


def test_mixed_kinds_keep_their_places(rng):
    """Kinds may come in any order and may be missing; nothing gives nothing."""
    kinds = ["halves", "letters", "writing", "halves", "scribbles"]
    assert len(scribbles.draw(kinds, rng=rng)) == 5
    assert scribbles.draw([], rng=rng) == []
    assert scribbles.images([], rng=rng).shape == (0, 28, 28)


def test_writing_is_wide_or_high(rng):
    """Several characters together take more room in one direction than one does, mostly."""
    sides = [np.ptp(np.concatenate(d), axis=0) for d in scribbles.draw(["writing"] * 100, rng=rng)]
    longer = [max(side) / min(side) for side in sides]
    assert np.median(longer) > 1.3


def test_halves_are_cut(rng):
    """Half a digit is less than the whole: what is left fits one side of its middle."""
    strokes = [np.array([[0.0, 0.0], [0.0, 100.0]]), np.array([[-10.0, 90.0], [10.0, 90.0]])]
    for _ in range(20):
        upper = np.concatenate(scribbles._half(strokes, 1, -1, rng))
        lower = np.concatenate(scribbles._half(strokes, 1, 1, rng))
        assert upper[:, 1].max() <= 50
        assert lower[:, 1].min() >= 50
        assert len({*lower[:, 0]}) > 2  # the foot is there


def test_unknown_kind(rng):
    """Another kind is refused with the choice there is."""
    with pytest.raises(ValueError, match=r"kind must be one of scribbles, .*, got 'digits'"):
        scribbles.draw(["digits"], rng=rng)


def test_no_letter_is_a_digit():
    """What is a digit to anyone is not among the letters; every style can be read."""
    assert not set("OoIlSsZzBbgq") & set(letters.LETTERS)
    for table in letters.TABLES.values():
        for styles in table.values():
            assert isinstance(styles, tuple)
            for style in styles:
                parse(style)


def test_as_many_as_asked_for(rng):
    """Letters and signs come in the number asked for, also none."""
    for count in (0, 1, 30):
        for table in letters.TABLES:
            assert len(letters.draw(table, count, rng=rng)) == count
