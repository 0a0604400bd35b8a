"""Digits that the project draws itself, as pen strokes and as the images that MNIST would hold.

Styles and skeletons are in `digits`; how hands distort them is the business of `scribe`.
"""

from functools import cache

import numpy as np

from pynet.ink.digits import DIGITS
from pynet.ink.scribe import Scribe
from pynet.ink.skeletons import parse
from pynet.ink.strokes import strokes_to_images

STYLES = {label: tuple(name for name, *_ in styles) for label, styles in DIGITS.items()}

# Widths of pens in pixels of the 28-pixel frame: median, standard deviation of the logarithm,
# least and largest. MNIST's pens vary as much; the page's is strokes.PEN_WIDTH.
_PEN, _PEN_SPREAD, _PEN_RANGE = 2.5, 0.28, (1.3, 6.0)


@cache
def _digits():
    """The scribe of all digits, and of each label the numbers and shares of its styles."""
    skeletons, choices = [], {}
    for label, styles in DIGITS.items():
        first = len(skeletons)
        skeletons += [parse(*extremes) for _, _, *extremes in styles]
        shares = np.array([share for _, share, *_ in styles])
        choices[label] = first, np.cumsum(shares) / shares.sum()
    return Scribe(skeletons), choices


def draw(labels, *, rng, style=None):
    """Draw digits as pen strokes, each in a style and by a hand of its own.

    Parameters
    ----------
    labels : (N,) array_like of int
        What to draw, 0 to 9.
    rng : numpy.random.Generator
        The only source of chance: the same state and labels give the same strokes.
    style : str, optional
        Name of the one style to use, out of `STYLES` of each label; by default styles come as
        often as `digits.DIGITS` says.

    Returns
    -------
    list of N lists of (n, 2) float32 ndarrays
        Strokes of each digit, in order: x to the right and y down, about 100 high.

    Raises
    ------
    ValueError
        For labels that are no digits, or a style that a label does not have.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(
            f"labels must be a list of digits, got shape {labels.shape} of {labels.dtype}"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() <= 9):
        raise ValueError(f"labels must be in 0..9, got {labels.min()}..{labels.max()}")
    scribe, choices = _digits()
    chance = rng.random(len(labels))
    indexes = np.empty(len(labels), np.intp)
    for label in np.unique(labels).tolist():
        first, shares = choices[label]
        chosen = labels == label
        if style is None:
            number = np.searchsorted(shares, chance[chosen], side="right")
        elif style in STYLES[label]:
            number = STYLES[label].index(style)
        else:
            names = ", ".join(STYLES[label])
            raise ValueError(f"style of {label} must be one of {names}, got {style!r}")
        indexes[chosen] = first + number
    return scribe.draw(indexes, rng)


def images(labels, *, rng, style=None):
    """Draw digits as MNIST would hold them, each also with a pen of its own width.

    Parameters
    ----------
    labels, rng, style
        As in `draw`.

    Returns
    -------
    (N, 28, 28) float32 ndarray
        Ink in [0, 1], 0 background.

    Raises
    ------
    ValueError
        As in `draw`.
    """
    drawings = draw(labels, rng=rng, style=style)
    return strokes_to_images(drawings, pen_width=pen_widths(len(drawings), rng))


def pen_widths(count, rng):
    """Draw widths of pens, (count,) float64 in pixels of the 28-pixel frame."""
    return np.clip(_PEN * np.exp(rng.normal(0, _PEN_SPREAD, count)), *_PEN_RANGE)
