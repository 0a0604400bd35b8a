"""Grey pictures of a digit, of any size and either polarity, to the image MNIST would hold.

Photographs, scans, screenshots and MNIST's own images take the same steps: take the paper away,
find the ink, average it down to the box, place it. Reading image files is not done here.
"""

import numpy as np

from pynet.ink.components import label_components
from pynet.ink.paper import split_ink
from pynet.ink.pens import pen_width, thicken
from pynet.ink.placing import BOX, place

MAX_PIXELS = 100_000_000  # of one picture
_WORK = 256  # pixels; larger pictures are averaged down to sides of at most this
_PEN = 2.0  # pixels of the box; thinner pens are drawn as wide as this
_PREPARED = 22  # pixels; ink of at most this side was scaled to MNIST's box already
_DUST = 0.02  # of the ink of the largest connected part; what has less is left out
_SOURCE = 128  # pixels; side of the fields that MNIST's digits were cut from ...
_LEAST = 10  # ... and its least side of the ink in them


def picture_to_image(picture):
    """Turn a grey picture of one digit into the image that MNIST would hold.

    The paper is what the picture's border shows; the ink is what differs from it, darker or
    lighter. The ink's bounding box is made square, averaged by area to 20x20 pixels, scaled so
    that its largest value is 1, and placed by its centre of mass.

    Parameters
    ----------
    picture : (H, W) array_like of bool, integers or floats
        Grey levels: uint8 in 0..255, uint16 in 0..65535, other numbers in 0..1 or in 0..255
        (0..1 is taken where no value is above 1). Dark on light or light on dark.

    Returns
    -------
    image : (28, 28) float32 ndarray
        Ink in [0, 1], 0 background; all zeros where no ink stands out from the paper.

    Raises
    ------
    ValueError
        For another number of dimensions, no pixels, more than ``MAX_PIXELS``, values that are
        not finite or out of range.

    Notes
    -----
    MNIST doubles the resolution of small ink until it is at least 20 pixels before it averages;
    averaging the same pixels by area directly gives the same.

    MNIST's sources are black and white fields of 128x128 pixels. So where there are at least two
    pixels of the picture to one of the box, grey levels between ink and paper are first pushed
    towards the two. A pen that is thinner than MNIST's is drawn wider, as that of strokes is. Ink
    of about 20 pixels has both behind it and stays: an image of MNIST comes back as it is.
    The least side of 10 pixels is taken in relation to the picture's side.

    Parts that are not connected to the largest one, and that have less than 2 % of its ink,
    are dust and left out.

    References
    ----------
    LeCun et al. 1998 and Yadav and Bottou 2019, see `pynet.ink.placing.place`.
    """
    grey = _shrink(_check(picture))
    ink, contrast = split_ink(grey)
    ink = _without_dust(ink)
    if not ink.any():
        return place(np.zeros((1, BOX, BOX)))[0]
    side = max(_crop(ink).shape)
    if side > _PREPARED:
        ink = ink / contrast
        ink = np.clip(2 * ink - 0.5 if side >= 2 * BOX else ink, 0.0, 1.0)
        missing = _PEN * side / BOX - pen_width(ink)
        # A wider pen makes the ink larger too, and all of it is scaled down the more.
        ink = thicken(ink, max(missing, 0) / 2 / (1 - _PEN / BOX))
    least = int(np.ceil(max(grey.shape) * _LEAST / _SOURCE))
    return place(_average(_crop(ink), least)[None])[0]


def _check(picture):
    """The picture as float64 in [0, 1]."""
    try:
        grey = np.asarray(picture)
    except ValueError:  # rows of unequal length
        grey = np.empty(0, dtype=object)
    if grey.ndim != 2 or grey.dtype.kind not in "biuf":
        raise ValueError(
            f"a picture must be a 2-D array of numbers, got shape {grey.shape} of {grey.dtype}"
        )
    if not 0 < grey.size <= MAX_PIXELS:
        raise ValueError(f"a picture must have 1 to {MAX_PIXELS} pixels, got shape {grey.shape}")
    low, high = grey.min(), grey.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("grey levels must be finite, got NaN or infinity")
    if grey.dtype == np.uint8:
        white = 255
    elif grey.dtype == np.uint16:
        white = 65535
    else:
        white = 1 if high <= 1 else 255
    if low < 0 or high > white:
        raise ValueError(f"grey levels must be in 0..1 or in 0..255, got {low}..{high}")
    return grey.astype(np.float64) / white


def _shrink(grey):
    """Average blocks of pixels, so that no side is longer than _WORK."""
    factor = -(-max(grey.shape) // _WORK)
    if factor == 1:
        return grey
    for axis, side in enumerate(grey.shape):
        start = np.arange(0, side, factor)
        count = np.diff(start, append=side)  # the last block may be smaller
        total = np.add.reduceat(grey, start, axis=axis)
        grey = total / (count[:, None] if axis == 0 else count)
    return grey


def _without_dust(ink):
    """Keep the connected parts that have enough ink."""
    labels = label_components(ink > 0)
    mass = np.bincount(labels.ravel(), weights=ink.ravel(), minlength=1)
    mass[0] = 0  # paper
    return np.where((mass >= _DUST * mass.max())[labels], ink, 0.0)


def _crop(ink):
    """Cut the bounding box of the ink out."""
    rows = np.flatnonzero(ink.any(axis=1))
    columns = np.flatnonzero(ink.any(axis=0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _average(crop, least):
    """Average a crop by area to the box, in the middle of a square of at least that side."""
    height, width = crop.shape
    side = max(height, width, least)
    down = _area_weights(side)[:, (side - height) // 2 :][:, :height]
    across = _area_weights(side)[:, (side - width) // 2 :][:, :width]
    return down @ crop @ across.T


def _area_weights(side):
    """Share of each of ``side`` source pixels in each pixel of the box: (20, side)."""
    edge = np.arange(side + 1) * (BOX / side)  # source pixels' edges in pixels of the box
    cell = np.arange(BOX)[:, None]
    overlap = np.minimum(edge[1:], cell + 1) - np.maximum(edge[:-1], cell)
    return np.maximum(overlap, 0.0)
