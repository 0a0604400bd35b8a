"""Pen strokes to the 28x28 image that MNIST would hold.

The lines are scaled first and drawn afterwards, at the width that MNIST's pens have in its
frame: what counts is the path of the pen, not how thick the canvas showed it. Drawing on the
canvas itself is the page's business.
"""

import numpy as np

from pynet.ink.placing import BOX, place

# Both were chosen by measuring: full ink is then as common as in MNIST, and networks trained on
# MNIST alone read UNIPEN strokes as well as with any other pair; widths of 2.0 to 2.6 do alike.
PEN_WIDTH = 2.3  # pixels of the 28-pixel frame, between the two edges at half grey
SOFTNESS = 1.3  # pixels over which an edge fades from ink to paper
MAX_POINTS = 100_000  # in one drawing; 20 minutes without a pause at 80 pointer events a second

_PIECE = 1.0  # pixels; longer segments are cut, so that all fit windows of one small size
_THIN_ABOVE = 1000  # points of one drawing, from which on close points are left out ...
_THIN_STEP = 0.1  # ... so that those kept are about this many pixels of ink apart
_CHUNK = 4096  # pieces drawn at once: what they need stays in the cache
_ROUNDING = 1e-9  # of the largest coordinate; an extent below this is rounding, not ink


def strokes_to_image(strokes, *, pen_width=PEN_WIDTH, min_side=0.0):
    """Draw one digit, given as pen strokes, as MNIST would hold it.

    Parameters
    ----------
    strokes : sequence of (n, 2) array_like
        One entry for each time the pen was down: its points, x to the right and y down, in
        any unit. A stroke of one point is a dot. Empty strokes are left out.
    pen_width : float
        Width of the pen in pixels of the 28-pixel frame, in (0, 10].
    min_side : float
        Least side of the bounding box, in the unit of the strokes, at least 0. What is smaller
        stays as small in the image: a tap with a shaky hand is a dot and not a scribble.

    Returns
    -------
    image : (28, 28) float32 ndarray
        Ink in [0, 1], 0 background; all zeros where there is no ink.

    Raises
    ------
    ValueError
        For strokes of another shape, values that are not finite numbers, more than
        ``MAX_POINTS`` points, or an option out of range.

    See Also
    --------
    strokes_to_images : the same for many drawings at once, and how it is done.
    """
    return strokes_to_images([strokes], pen_width=pen_width, min_side=min_side)[0]


def strokes_to_images(drawings, *, pen_width=PEN_WIDTH, min_side=0.0):
    """Draw many digits, each given as pen strokes, as MNIST would hold them.

    The bounding box of the ink, pen included, is scaled to 20 pixels on its longer side. The
    grey level of a pixel then is ``clip(1/2 + (pen_width/2 - d) / SOFTNESS, 0, 1)``, where
    ``d`` is the distance from the pixel's centre to the nearest point of the lines. Last, the
    ink is placed by its centre of mass.

    Parameters
    ----------
    drawings : sequence of N sequences of (n, 2) array_like
        Strokes of each drawing, see `strokes_to_image`.
    pen_width : float or (N,) array_like of float
        Width of the pen in pixels of the 28-pixel frame, in (0, 10], for all or for each.
    min_side : float
        Least side of a bounding box, see `strokes_to_image`.

    Returns
    -------
    images : (N, 28, 28) float32 ndarray
        Ink in [0, 1], 0 background.

    Raises
    ------
    ValueError
        As in `strokes_to_image`.

    Notes
    -----
    A ramp of one pixel over the signed distance to an edge is the area that a straight edge
    along the axes covers of a pixel, and close to it for other directions.

    Drawings of more than 1,000 points lose those that are closer along the line than 0.1
    pixels; this moves no line by more than half of that.

    References
    ----------
    LeCun et al. 1998 and Yadav and Bottou 2019, see `pynet.ink.placing.place`.
    Gupta and Sproull, "Filtering edges for gray-scale displays", SIGGRAPH 1981: grey as a
    function of the distance between pixel and line.
    """
    drawings = list(drawings)
    width = _check_width(pen_width, len(drawings))
    if not 0 <= min_side < np.inf:
        raise ValueError(f"min_side must be a finite number of at least 0, got {min_side}")
    points, strokes, owners = _collect(drawings)
    if len(points) == 0:
        return place(np.zeros((len(drawings), BOX, BOX)))
    points = _fit(points, owners, width, float(min_side))
    points, strokes, owners = _thin(points, strokes, owners)
    boxes = _draw(points, strokes, owners, width)
    return place(boxes)


def _check_width(pen_width, count):
    """Pen width of each drawing, (count,) float64."""
    try:
        width = np.asarray(pen_width, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"pen_width must be a number, got {pen_width!r}") from None
    if width.ndim and width.shape != (count,):
        raise ValueError(
            f"pen_width must be one number or one for each of {count} drawings, "
            f"got shape {width.shape}"
        )
    if not np.all((width > 0) & (width <= BOX / 2)):
        raise ValueError(f"pen_width must be in (0, {BOX // 2}] pixels, got {pen_width}")
    return np.broadcast_to(width, (count,))


def _collect(drawings):
    """Check the input; all points (P, 2), and the stroke (P,) and drawing (P,) of each."""
    parts, owners = [], []
    for owner, drawing in enumerate(drawings):
        total = 0
        if not hasattr(drawing, "__iter__"):
            raise ValueError(
                f"a drawing must be a sequence of strokes, got {type(drawing).__name__}"
            )
        for number, stroke in enumerate(drawing):
            part = _stroke(stroke, number)
            total += len(part)
            if len(part):
                parts.append(part)
                owners.append(owner)
        if total > MAX_POINTS:
            raise ValueError(f"a drawing may have {MAX_POINTS} points, got {total}")
    counts = [len(part) for part in parts]
    points = np.concatenate(parts) if parts else np.zeros((0, 2))
    if not np.isfinite(points).all():
        raise ValueError("coordinates of strokes must be finite, got NaN or infinity")
    return points, np.repeat(np.arange(len(parts)), counts), np.repeat(owners, counts)


def _stroke(stroke, number):
    """One stroke as (n, 2) float64."""
    try:
        part = np.asarray(stroke)
    except ValueError:  # rows of unequal length
        part = np.empty(0, dtype=object)
    if part.shape == (0,) and part.dtype != object:
        part = part.reshape(0, 2)
    if part.ndim != 2 or part.shape[1] != 2 or part.dtype.kind not in "fiu":
        raise ValueError(
            f"stroke {number} must be a list of [x, y] pairs of numbers, "
            f"got shape {part.shape} of {part.dtype}"
        )
    return part.astype(np.float64)


def _fit(points, owners, width, min_side):
    """Scale each drawing to the box, its aspect kept and its bounding box in the middle."""
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    run = np.cumsum(np.diff(owners, prepend=owners[0]) != 0)  # (P,) number of the drawing with ink
    points = points / 2  # so that no difference of two finite numbers overflows
    low = np.minimum.reduceat(points, first)
    high = np.maximum.reduceat(points, first)
    extent = np.maximum((high - low).max(axis=1), min_side / 2)
    dots = extent <= _ROUNDING * np.maximum(np.abs(low), np.abs(high)).max(axis=1)
    room = BOX - width[owners[first]] - max(SOFTNESS - 1, 0)
    room[dots] = 0
    extent[dots] = 1
    return (points - (low + high)[run] / 2) / extent[run, None] * room[run, None] + BOX / 2


def _thin(points, strokes, owners):
    """Leave out points that hardly differ from their neighbours, in large drawings only."""
    large = np.bincount(owners)[owners] > _THIN_ABOVE
    if not large.any():
        return points, strokes, owners
    step = np.sqrt(((points[1:] - points[:-1]) ** 2).sum(axis=1))
    mark = np.floor(np.cumsum(step) / _THIN_STEP)
    ends = np.diff(strokes) != 0
    keep = ~large
    keep[1:] |= np.diff(mark, prepend=0) > 0
    keep[1:] |= ends
    keep[:-1] |= ends
    keep[[0, -1]] = True
    return points[keep], strokes[keep], owners[keep]


def _draw(points, strokes, owners, width):
    """Draw the lines of all drawings: (N, 20, 20) float64 in [0, 1]."""
    start, vector, owner = _pieces(points, strokes, owners)
    reach = (width.max() + SOFTNESS) / 2
    window = int(_PIECE + 2 * reach) + 1  # pixels; side of the square that a piece can touch
    side = 1 + BOX + window  # of a canvas with room for windows that stand over the box
    squared = np.full(len(width) * side * side, np.inf)  # distance to the nearest piece
    for at in range(0, len(start), _CHUNK):
        part = slice(at, at + _CHUNK)
        _nearest(squared, side, window, reach, start[part], vector[part], owner[part])
    distance = np.sqrt(squared.reshape(-1, side, side)[:, 1 : 1 + BOX, 1 : 1 + BOX])
    return np.clip(0.5 + (width[:, None, None] / 2 - distance) / SOFTNESS, 0.0, 1.0)


def _pieces(points, strokes, owners):
    """Cut the lines to pieces no longer than _PIECE: start (M, 2), vector (M, 2), owner (M,)."""
    joined = strokes[1:] == strokes[:-1]
    alone = np.diff(np.flatnonzero(np.diff(strokes, prepend=-1, append=-1))) == 1
    dots = np.flatnonzero(np.diff(strokes, prepend=-1))[alone]  # strokes of one point
    first = np.concatenate([np.flatnonzero(joined), dots])
    last = np.concatenate([np.flatnonzero(joined) + 1, dots])
    vector = points[last] - points[first]
    length = np.sqrt((vector * vector).sum(axis=1))
    count = np.maximum(np.ceil(length / _PIECE), 1).astype(np.intp)
    vector /= count[:, None]
    segment = np.repeat(np.arange(len(first)), count)
    number = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
    start = points[first][segment] + number[:, None] * vector[segment]
    return start, vector[segment], owners[first][segment]


def _nearest(squared, side, window, reach, start, vector, owner):
    """Lower the squared distances of the pixels around each piece, in place."""
    corner = np.ceil(np.minimum(start, start + vector) - reach - 0.5)  # first pixel in reach
    pixel = corner[:, :, None] + np.arange(window)  # (M, 2, window)
    away = pixel + 0.5 - start[:, :, None]
    x, y = away[:, 0, None, :], away[:, 1, :, None]
    vx, vy = vector[:, 0, None, None], vector[:, 1, None, None]
    length = np.maximum(vx * vx + vy * vy, 1e-300)
    along = np.clip((x * vx + y * vy) / length, 0.0, 1.0)  # (M, window, window)
    distance = (x - along * vx) ** 2 + (y - along * vy) ** 2
    place_of = pixel.astype(np.intp) + 1
    index = (owner[:, None, None] * side + place_of[:, 1, :, None]) * side + place_of[:, 0, None, :]
    np.minimum.at(squared, index.ravel(), distance.ravel())
