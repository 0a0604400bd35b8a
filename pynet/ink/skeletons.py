"""Skeletons of signs: the few points that a pen passes, in a text form that is easy to write.

``30,0`` is a point in percent of the sign's height, x to the right and y down; the pen moves
through the points in a smooth curve. ``!`` after a point makes it a corner, ``;`` lifts the pen.
Where a style is given more than once, these are its extremes: people write anything between, and
a little beyond.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """One style of writing a sign.

    Attributes
    ----------
    extremes : (E, K, 2) float64 ndarray
        The points of each extreme, x and y in percent of the height.
    corners : (K,) bool ndarray
        Where the curve may turn sharply.
    strokes : (K,) int64 ndarray
        Number of the stroke of each point, from 0.
    """

    extremes: np.ndarray
    corners: np.ndarray
    strokes: np.ndarray


def parse(*extremes):
    """Read one style from its extremes, each in the text form that the module describes.

    Raises
    ------
    ValueError
        For text that is no list of points, a stroke of a single point, or extremes that differ
        in their numbers of points, strokes or corners.
    """
    parsed = [_parse(text) for text in extremes]
    _, corners, strokes = parsed[0]
    for text, other in zip(extremes, parsed, strict=True):
        if other[1:] != (corners, strokes):
            raise ValueError(
                f"extremes of a style must have the same strokes and corners, got "
                f"{extremes[0]!r} and {text!r}"
            )
    return Skeleton(
        np.array([points for points, _, _ in parsed], dtype=np.float64),
        np.array(corners),
        np.array(strokes),
    )


def _parse(text):
    """Points, corners and stroke numbers of one extreme."""
    points, corners, strokes = [], [], []
    for number, stroke in enumerate(text.split(";")):
        words = stroke.split()
        if len(words) < 2:
            raise ValueError(f"a stroke needs two points or more, got {stroke!r} in {text!r}")
        for word in words:
            try:
                x, y = word.removesuffix("!").split(",")
                points.append((float(x), float(y)))
            except ValueError:
                raise ValueError(f"expected points such as 30,0 or 30,0!, got {word!r}") from None
            corners.append(word.endswith("!"))
            strokes.append(number)
    return points, corners, strokes
