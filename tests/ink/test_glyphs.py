"""The generator of digits: what every style and every hand must keep, and its parts by hand."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynet.ink import glyphs, strokes_to_images
from pynet.ink.digits import DIGITS
from pynet.ink.glyphs import STYLES
from pynet.ink.scribe import Habits, Scribe
from pynet.ink.skeletons import parse

ALL = [(label, style) for label, styles in STYLES.items() for style in styles]

# Hands that do not shake at all: the points of the skeleton are what is drawn.
STILL = Habits(**dict.fromkeys(vars(Habits()), 0))


def same(drawings, others):
    """Whether all strokes are equal to the last bit."""
    return all(
        np.array_equal(a, b)
        for drawing, other in zip(drawings, others, strict=True)
        for a, b in zip(drawing, other, strict=True)
    )


def distance(points, stroke):
    """Largest distance of the points to the nearest point of a densely drawn stroke."""
    apart = np.linalg.norm(np.asarray(points)[:, None] - stroke[None], axis=2)
    return apart.min(axis=1).max()


def test_the_same_seed_draws_the_same_strokes_and_another_does_not():
    """Everything comes from the generator that is passed in."""
    labels = np.arange(40) % 10
    first = glyphs.draw(labels, rng=np.random.default_rng(5))
    assert same(first, glyphs.draw(labels, rng=np.random.default_rng(5)))
    other = glyphs.draw(labels, rng=np.random.default_rng(6))
    assert not any(np.array_equal(a[0], b[0]) for a, b in zip(first, other, strict=True))


def test_the_same_seed_draws_the_same_images_in_another_process():
    """No global state, hash seed or order of dictionaries takes part."""
    code = (
        "import hashlib, numpy as np; from pynet.ink import glyphs;"
        "x = glyphs.images(np.arange(30) % 10, rng=np.random.default_rng(1));"
        "print(hashlib.sha256(x.tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    images = glyphs.images(np.arange(30) % 10, rng=np.random.default_rng(1))
    assert done.stdout.strip() == hashlib.sha256(images.tobytes()).hexdigest()


@given(
    st.lists(st.integers(0, 9), max_size=30),
    st.integers(0, 2**32),
    st.sampled_from([np.uint8, np.int64]),
)
@settings(max_examples=40, deadline=None)
def test_any_labels_give_strokes_that_the_page_could_have_sent(labels, seed, dtype):
    """As many drawings as labels, each of finite points, of the size of a digit."""
    drawings = glyphs.draw(np.array(labels, dtype), rng=np.random.default_rng(seed))
    assert len(drawings) == len(labels)
    for drawing in drawings:
        assert 1 <= len(drawing) <= 3
        for stroke in drawing:
            assert len(stroke) >= 2
            assert stroke.shape == (len(stroke), 2)
            assert np.isfinite(stroke).all()
        points = np.concatenate(drawing)
        side = np.ptp(points, axis=0).max()
        assert 40 < side < 400, side


@pytest.mark.parametrize(("label", "style"), ALL)
def test_every_style_gives_images_as_mnist_holds_them(label, style, rng):
    """Ink in [0, 1] with full black, in the box of 20 pixels, in no two images alike."""
    images = glyphs.images([label] * 30, rng=rng, style=style)
    assert images.shape == (30, 28, 28)
    assert images.dtype == np.float32
    assert images.min() == 0
    assert np.all(images.max(axis=(1, 2)) == 1)
    for image in images:
        rows, columns = np.nonzero(image)
        sides = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert 18 <= max(sides) <= 20
    assert len(np.unique(images.reshape(30, -1), axis=0)) == 30


@pytest.mark.parametrize(("label", "style"), ALL)
def test_a_still_hand_goes_through_the_points_of_the_skeleton(label, style, rng):
    """Without distortion an extreme is drawn near its own points, in as many strokes."""
    extreme = next(extremes[0] for name, _, *extremes in DIGITS[label] if name == style)
    skeleton = parse(extreme)
    for drawing in Scribe([skeleton], STILL).draw([0] * 5, rng):
        assert len(drawing) == skeleton.strokes[-1] + 1
        for number, stroke in enumerate(drawing):
            points = skeleton.extremes[0][skeleton.strokes == number]
            np.testing.assert_allclose(stroke[[0, -1]], points[[0, -1]], atol=1e-3)
            assert distance(points, stroke) < 12  # percent: rounded corners are cut by so much


def test_digits_that_vary_have_five_styles_or_more():
    """The issue asks for at least five for every digit."""
    assert all(len(styles) >= 5 for styles in STYLES.values())
    assert sorted(STYLES) == list(range(10))
    assert all(len(set(styles)) == len(styles) for styles in STYLES.values())


@pytest.mark.parametrize("label", range(10))
def test_styles_of_a_digit_differ_more_between_than_within(label, rng):
    """The mean images of two styles are further apart than two means of the same style."""
    pairs = [
        [glyphs.images([label] * 400, rng=rng, style=style).mean(axis=0) for _ in range(2)]
        for style in STYLES[label]
    ]
    for number, (mean, again) in enumerate(pairs):
        within = np.linalg.norm(mean - again)
        for other, _ in pairs[number + 1 :]:
            assert np.linalg.norm(mean - other) > 1.2 * within


def test_styles_come_as_often_as_the_skeletons_say(rng):
    """Of 8,000 sevens as many are in three parts as the only style in three parts has shares."""
    shares = {name: share for name, share, *_ in DIGITS[7]}
    three = shares["three strokes"] / sum(shares.values())
    drawings = glyphs.draw([7] * 8000, rng=rng)
    found = np.mean([len(drawing) == 3 for drawing in drawings])
    # Some of the three are joined; four standard errors for the rest.
    low = three * (1 - Habits().joined)
    error = 4 * np.sqrt(three / 8000)
    assert low - error < found < three + error


def test_a_label_may_be_drawn_in_one_style_only(rng):
    """A slashed zero is two strokes unless the pen stays on the paper."""
    counts = [len(drawing) for drawing in glyphs.draw([0] * 400, rng=rng, style="slash")]
    assert set(counts) <= {1, 2}
    assert np.mean(counts) > 1.85
    plain = glyphs.draw([0] * 50, rng=rng, style="plain")
    assert {len(drawing) for drawing in plain} == {1}


def test_images_are_the_strokes_drawn_as_the_page_draws_them():
    """`images` is `draw` and then `strokes_to_images` with pens of several widths."""
    labels = np.arange(20) % 10
    images = glyphs.images(labels, rng=np.random.default_rng(3))
    rng = np.random.default_rng(3)
    drawings = glyphs.draw(labels, rng=rng)
    widths = glyphs.pen_widths(20, rng)
    assert np.array_equal(images, strokes_to_images(drawings, pen_width=widths))
    assert np.ptp(widths) > 0.5


def test_habits_do_what_they_say(rng):
    """Joining leaves one stroke, a grid its multiples, hooks add points, coarse pens take them."""
    skeleton = parse("0,0 50,0 100,0 ; 0,50 50,50 100,100")

    def drawn(**habits):
        return Scribe([skeleton], Habits(**{**vars(STILL), **habits})).draw([0] * 20, rng)

    still = drawn()[0]
    assert len(still) == 2
    assert [len(part) for part in drawn(joined=1)[0]] == [len(part) for part in still]  # too far
    near = parse("0,0 50,0 100,0 ; 90,50 50,50 0,50")
    joined = Scribe([near], Habits(**{**vars(STILL), "joined": 1})).draw([0], rng)[0]
    assert len(joined) == 1
    np.testing.assert_allclose(joined[0][[0, -1]], [[0, 0], [0, 50]], atol=1e-4)
    hooked = drawn(hooked=1)[0]
    assert [len(part) for part in hooked] == [len(part) + 2 for part in still]
    for drawing in drawn(coarse=1):
        assert all(len(a) < len(b) for a, b in zip(drawing, still, strict=True))
        assert all(
            np.allclose(a[-1], b[-1], atol=1e-3) for a, b in zip(drawing, still, strict=True)
        )
    for drawing in drawn(gridded=1):
        places = np.unique(np.concatenate(drawing))
        steps = np.diff(places)[np.diff(places) > 1e-3]
        assert np.allclose(steps / steps.min(), np.round(steps / steps.min()), atol=1e-2)


BAR = "50,0 50,50 50,100"


def still_but(rng, texts=(BAR,), count=200, **habits):
    """Write a sign with still hands but for these habits: (count, points, 2), its first stroke."""
    scribe = Scribe([parse(*texts)], Habits(**{**vars(STILL), **habits}))
    return np.array([strokes[0] for strokes in scribe.draw([0] * count, rng)])


def test_slant_turn_and_aspect_do_what_they_say(rng):
    """A slant moves the top sideways only, a turn keeps lengths, an aspect keeps heights."""
    slanted = still_but(rng, slant=0.3, slant_mean=0.1)
    lean = (slanted[:, 0, 0] - slanted[:, -1, 0]) / 100
    np.testing.assert_allclose(slanted[:, [0, -1], 1], [[0, 100]] * 200, atol=1e-3)
    assert abs(lean.mean() - 0.1) < 4 * 0.3 / np.sqrt(200)
    assert 0.2 < lean.std() < 0.4
    turned = still_but(rng, rotation=10)
    lengths = np.linalg.norm(turned[:, -1] - turned[:, 0], axis=1)
    np.testing.assert_allclose(lengths, 100, rtol=1e-5)
    angles = np.rad2deg(np.arcsin((turned[:, 0, 0] - turned[:, -1, 0]) / 100))
    assert 7 < angles.std() < 13
    wide = still_but(rng, ["0,0 100,0 100,100"], aspect=0.3, aspect_mean=0.2)
    assert abs(np.log(np.ptp(wide[:, :, 0], axis=1) / 100).mean() - 0.2) < 0.1
    np.testing.assert_allclose(np.ptp(wide[:, :, 1], axis=1), 100, atol=20)  # corners differ


def test_mixtures_lie_between_the_extremes_and_a_fifth_beyond(rng):
    """The foot of a bar with extremes at x = 0 and x = 100 is in [-10, 110], and all over it."""
    feet = still_but(rng, ["50,0 0,100", "50,0 100,100"], count=2000)[:, -1, 0]
    assert -10.01 < feet.min() < 5
    assert 95 < feet.max() < 110.01
    assert np.histogram(feet, 10, (-10, 110))[0].min() > 50


def test_proportions_keep_top_and_bottom(rng):
    """Bow and proportion move the middle and leave both ends of a full height where they are."""
    bent = still_but(rng, bow=0.2, proportion=0.2)
    np.testing.assert_allclose(bent[:, 0], [[50, 0]] * 200, atol=1e-3)
    np.testing.assert_allclose(bent[:, -1], [[50, 100]] * 200, atol=1e-3)
    assert np.ptp(bent[:, 8], axis=0).min() > 5


def test_ends_come_early_or_late_along_the_stroke(rng):
    """The ends of a straight bar move along it, some in and some out, and never off it."""
    bars = still_but(rng, ends=0.2)
    np.testing.assert_allclose(bars[:, :, 0], 50, atol=1e-3)
    assert bars[:, 0, 1].min() < -5
    assert bars[:, 0, 1].max() > 5


def test_tremor_has_the_size_that_it_says(rng):
    """Its standard deviation at each point, in percent of the height."""
    shaken = still_but(rng, tremor=1.5, count=2000)
    assert abs(shaken[:, 4].std(axis=0).mean() - 1.5) < 0.1


@pytest.mark.parametrize(
    ("labels", "style", "message"),
    [
        ([10], None, r"labels must be in 0\.\.9, got 10\.\.10"),
        ([-1, 3], None, r"labels must be in 0\.\.9, got -1\.\.3"),
        ([0.5], None, "labels must be a list of digits, got shape"),
        (3, None, "labels must be a list of digits, got shape"),
        ([0, 1], "slash", "style of 1 must be one of bar, .*, got 'slash'"),
    ],
)
def test_wrong_arguments_are_named(labels, style, message, rng):
    """The message says what was expected and what came."""
    with pytest.raises(ValueError, match=message):
        glyphs.draw(labels, rng=rng, style=style)


@pytest.mark.parametrize(
    ("extremes", "message"),
    [
        (["0,0 1,1", "0,0 1,1 2,2"], "must have the same strokes and corners"),
        (["0,0 1,1! 2,2", "0,0 1,1 2,2"], "must have the same strokes and corners"),
        (["0,0 ; 1,1 2,2"], "a stroke needs two points or more"),
        (["0,0 1;1"], "a stroke needs two points or more|expected points"),
        (["0,0 one,1"], "expected points such as"),
        ([""], "a stroke needs two points or more"),
    ],
)
def test_wrong_skeletons_are_named(extremes, message):
    """What cannot be a skeleton is refused with the text at fault."""
    with pytest.raises(ValueError, match=message):
        parse(*extremes)


def test_a_skeleton_is_what_its_text_says():
    """Points, corners and strokes worked out by hand."""
    skeleton = parse("0,4 30.5,-3! 62,2 ; 1,2 3,4", "1,1 2,2! 3,3 ; 4,4 5,5")
    assert skeleton.extremes.shape == (2, 5, 2)
    assert skeleton.extremes[0].tolist() == [[0, 4], [30.5, -3], [62, 2], [1, 2], [3, 4]]
    assert skeleton.corners.tolist() == [False, True, False, False, False]
    assert skeleton.strokes.tolist() == [0, 0, 0, 1, 1]
