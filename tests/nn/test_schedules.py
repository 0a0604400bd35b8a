"""Schedules at the steps where their value can be worked out by hand."""

import pytest

from pynet.nn.schedules import SCHEDULES, Constant, Cosine, OneCycle, Step


def test_constant():
    """Constant is constant, after the end too."""
    schedule = Constant(0.5, 10)
    assert {schedule(step) for step in (0, 5, 9, 99)} == {0.5}


@pytest.mark.parametrize("name", ["constant", "step", "cosine"])
def test_warmup(name):
    """Four warm-up steps rise in quarters to the highest rate."""
    schedule = SCHEDULES[name](0.8, 100, warmup_steps=4)
    assert [schedule(step) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8])


def test_step():
    """Three stages by a factor of ten."""
    schedule = Step(1.0, 30)
    assert [schedule(step) for step in (0, 9, 10, 19, 20, 29, 30, 99)] == pytest.approx(
        [1, 1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.01]
    )


def test_cosine():
    """A cosine is at half of the way after half of the steps, and stays at its end."""
    schedule = Cosine(1.0, 20, final=0.2)
    assert [schedule(step) for step in (0, 5, 10, 20, 50)] == pytest.approx(
        [1.0, 0.2 + 0.4 * (1 + 0.5**0.5), 0.6, 0.2, 0.2]
    )


def test_cosine_after_warmup():
    """The curve starts where the warm-up ends."""
    schedule = Cosine(1.0, 30, warmup_steps=10)
    assert [schedule(step) for step in (9, 10, 20, 30)] == pytest.approx([1.0, 1.0, 0.5, 0.0])


def test_one_cycle():
    """The cycle starts at 1/25, is highest after its rise and ends near zero."""
    schedule = OneCycle(1.0, 100)
    assert [schedule(step) for step in (0, 15, 30, 65, 100)] == pytest.approx(
        [0.04, 0.52, 1.0, 0.5, 4e-6], abs=1e-5
    )


def test_one_cycle_after_warmup():
    """A warm-up climbs to where the cycle starts."""
    schedule = OneCycle(1.0, 104, warmup_steps=4)
    assert [schedule(step) for step in (0, 3, 4, 34)] == pytest.approx([0.01, 0.04, 0.04, 1.0])


@pytest.mark.parametrize("name", SCHEDULES)
def test_never_above_and_never_negative(name):
    """Whatever the step, the rate lies between 0 and the highest."""
    schedule = SCHEDULES[name](0.3, 17, warmup_steps=5)
    assert all(0 <= schedule(step) <= 0.3 + 1e-12 for step in range(40))


@pytest.mark.parametrize("name", SCHEDULES)
def test_warmup_as_long_as_the_training(name):
    """A warm-up that leaves no steps divides by nothing."""
    assert SCHEDULES[name](0.3, 5, warmup_steps=5)(5) <= 0.3


@pytest.mark.parametrize(
    "make",
    [
        lambda: Constant(-1, 10),
        lambda: Constant(0.1, 0),
        lambda: Cosine(0.1, 10, warmup_steps=-1),
        lambda: Cosine(0.1, 10, final=2),
        lambda: Step(0.1, 10, factor=0.0),
        lambda: OneCycle(0.1, 10, rise=1.5),
    ],
)
def test_bad_options(make):
    """Options out of range are refused by name and value."""
    with pytest.raises(ValueError, match=r"must be .*, got "):
        make()
