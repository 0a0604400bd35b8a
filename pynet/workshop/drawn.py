"""Images that nobody wrote: the digits of `pynet.ink.glyphs`, and what is no digit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pynet.ink import glyphs, scribbles
from pynet.workshop.metrics import CLASSES

NONE = -1  # the label of what is no digit


@dataclass(frozen=True)
class Drawn:
    """So many drawings, made when they are asked for.

    Parameters
    ----------
    digits : int
        As many of each class, to within one.
    non_digits : int
        Of the kinds and in the shares of `scribbles.SHARES`.
    """

    digits: int = 0
    non_digits: int = 0

    def __len__(self):
        return self.digits + self.non_digits

    def draw(self, numbers, rng):
        """Draw some of them.

        Parameters
        ----------
        numbers : (N,) int ndarray
            Which, from 0: the digits come before the others.
        rng : numpy.random.Generator
            The only source of chance; each call draws other images.

        Returns
        -------
        images : (N, 28, 28) float32 ndarray in [0, 1]
        labels : (N,) int64 ndarray
            `NONE` for what is no digit.
        """
        is_digit = numbers < self.digits
        labels = np.where(is_digit, numbers % CLASSES, NONE).astype(np.int64)
        images = np.empty((len(numbers), 28, 28), np.float32)
        images[is_digit] = glyphs.images(labels[is_digit], rng=rng)
        kinds = scribbles.choose(int((~is_digit).sum()), rng=rng)
        images[~is_digit] = scribbles.images(kinds, rng=rng)
        return images, labels

    def all(self, rng):
        """Draw all of them; see `draw`."""
        return self.draw(np.arange(len(self)), rng)
