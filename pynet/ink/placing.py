"""Where the ink goes in MNIST's frame: a 20-pixel box of ink, placed by its centre of mass.

Both ways to an image, pen strokes and pictures, end here, so that they place digits alike.
"""

import numpy as np

FRAME = 28  # pixels; side of an MNIST image
BOX = 20  # pixels; side of the square that holds the ink
# A centre of mass that is a whole number but for rounding errors must not depend on them.
_DECIMALS = 6


def place(boxes):
    """Place boxes of ink in 28x28 frames by their centre of mass, as MNIST does.

    The top left corner of the box goes to ``floor(15 - centre)``, where ``centre`` is the
    centre of mass in the box with pixel centres at +0.5, so that the centre of mass comes to
    lie in (14, 15] of the frame, both across and down.

    Parameters
    ----------
    boxes : (N, 20, 20) float ndarray
        Ink in [0, 1], 0 background.

    Returns
    -------
    images : (N, 28, 28) float32 ndarray
        The same ink, scaled so that the largest value of each image is 1. A box without ink
        gives an image of zeros.

    Notes
    -----
    Ink is never cut off: where one side is so much heavier that the box would leave the frame,
    it stops at the frame's edge, and the centre of mass stays outside the band.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", Proc. IEEE 86(11), 1998, section III.A: the 20x20 box and the centre of mass.
    Yadav and Bottou, "Cold case: the lost MNIST digits", NeurIPS 2019, section 2: the exact
    integer placement, found by re-making the data set.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    images = np.zeros((len(boxes), FRAME, FRAME), dtype=np.float32)
    peak = boxes.max(axis=(1, 2), initial=0.0)
    peak[peak == 0] = 1.0
    boxes = boxes / peak[:, None, None]
    left = _offset(boxes.sum(axis=1))
    top = _offset(boxes.sum(axis=2))
    for image, box, x, y in zip(images, boxes, left, top, strict=True):
        image[y : y + BOX, x : x + BOX] = box
    return images


def _offset(profile):
    """Offset of the box along one axis, from the (N, 20) sums of ink across the other."""
    mass = profile.sum(axis=1)
    centre = profile @ (np.arange(BOX) + 0.5) / np.where(mass > 0, mass, 1.0)
    offset = np.floor(np.round(FRAME / 2 + 1 - centre, _DECIMALS))
    return np.clip(offset, 0, FRAME - BOX).astype(np.intp)
