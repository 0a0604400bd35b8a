"""Schedules: the learning rate as a function of the step.

A schedule is called with the number of steps already done, 0 for the first, and returns the
learning rate for the next one. Each starts with a linear warm-up, if asked to; after the last
step it stays where it ended.
"""

import math
from dataclasses import dataclass

from pynet.nn import checks


@dataclass(frozen=True)
class Schedule:
    """What schedules share: warm-up, then a curve over the progress from 0 to 1.

    Parameters
    ----------
    learning_rate : float
        The highest learning rate.
    total_steps : int
        How many steps the training will take.
    warmup_steps : int
        Rise in equal parts over this many steps, the last of them at `learning_rate`.
    """

    learning_rate: float
    total_steps: int
    warmup_steps: int = 0

    def __post_init__(self):
        checks.number("learning_rate", self.learning_rate)
        checks.positive_integer("total_steps", self.total_steps, maximum=2**40)
        checks.natural("warmup_steps", self.warmup_steps)

    def __call__(self, step):
        """Return the learning rate for the step that follows `step` steps."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        remaining = max(1, self.total_steps - self.warmup_steps)
        return self.learning_rate * self.curve(min(1.0, (step - self.warmup_steps) / remaining))

    def curve(self, progress):
        """Return the share of the highest rate at `progress` in [0, 1] after the warm-up."""
        raise TypeError(f"{type(self).__name__} has no curve: a subclass defines it")


@dataclass(frozen=True)
class Constant(Schedule):
    """Stay at the highest rate."""

    def curve(self, progress):
        """Return 1."""
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Multiply the rate by `factor` at the end of each of `stages` equal stages but the last."""

    stages: int = 3
    factor: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        checks.positive_integer("stages", self.stages)
        checks.number("factor", self.factor, high=1.0, open_low=True, open_high=False)

    def curve(self, progress):
        """Return ``factor ** (stages behind us)``."""
        return self.factor ** min(self.stages - 1, int(progress * self.stages))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Fall along half a cosine to ``final * learning_rate``.

    References
    ----------
    Loshchilov, Hutter (2017), "SGDR: stochastic gradient descent with warm restarts", eq. 5,
    without restarts.
    """

    final: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        checks.number("final", self.final, high=1.0, open_high=False)

    def curve(self, progress):
        """Return ``final + (1 - final) (1 + cos(pi progress)) / 2``."""
        return _cosine(1.0, self.final, progress)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Rise along half a cosine from ``start * learning_rate``, then fall to almost nothing.

    The rise takes the share `rise` of the steps. A linear warm-up, if any, comes before it and
    climbs to where the cycle starts.

    References
    ----------
    Smith, Topin (2019), "Super-convergence: very fast training of neural networks using large
    learning rates"; with cosines for straight lines, and `start` and `final` as in PyTorch.
    """

    rise: float = 0.3
    start: float = 0.04
    final: float = 4e-6

    def __post_init__(self):
        super().__post_init__()
        for name in ("rise", "start", "final"):
            checks.number(name, getattr(self, name), high=1.0, open_high=False)

    def __call__(self, step):
        """Return the learning rate for the step that follows `step` steps."""
        if step < self.warmup_steps:
            return self.start * self.learning_rate * (step + 1) / self.warmup_steps
        return super().__call__(step)

    def curve(self, progress):
        """Return the share of the highest rate: `start`, 1 at `rise`, then down to `final`."""
        if progress < self.rise:
            return _cosine(self.start, 1.0, progress / self.rise)
        return _cosine(1.0, self.final, (progress - self.rise) / max(1e-12, 1 - self.rise))


def _cosine(begin, end, progress):
    """Go from `begin` to `end` along half a cosine."""
    return end + (begin - end) * (1 + math.cos(math.pi * min(1.0, progress))) / 2


SCHEDULES = {"constant": Constant, "step": Step, "cosine": Cosine, "one-cycle": OneCycle}
