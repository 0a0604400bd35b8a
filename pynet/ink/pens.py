"""The pen of a picture: how wide it is, and the same ink by a wider one."""

import numpy as np


def pen_width(ink):
    """Estimate the width of the pen: twice the area of the ink over its perimeter.

    Parameters
    ----------
    ink : (H, W) float64 ndarray
        Ink in [0, 1] with some of it above 0.

    Returns
    -------
    width : float
        In pixels.

    Notes
    -----
    The sum of the differences between neighbours, across and down, is the perimeter for edges
    along the axes and 4/pi times the perimeter on average over all directions.
    """
    padded = np.pad(ink, 1)
    edges = np.abs(np.diff(padded, axis=0)).sum() + np.abs(np.diff(padded, axis=1)).sum()
    return float(2 * ink.sum() / (edges * np.pi / 4))


def thicken(ink, radius):
    """Draw the same ink again with a round tip: the largest value within the radius.

    Parameters
    ----------
    ink : (H, W) float64 ndarray
        Ink in [0, 1].
    radius : float
        Of the tip, in pixels; the last pixel of it counts by the part that lies within.

    Returns
    -------
    thicker : (H + 2n, W + 2n) float64 ndarray
        ``n = ceil(radius)`` pixels larger on each side, so that no ink is lost.

    References
    ----------
    Sternberg, "Grayscale morphology", Computer Vision, Graphics, and Image Processing 35, 1986:
    dilation by a grey structuring element.
    """
    margin = int(np.ceil(radius))
    height, width = ink.shape
    thicker = np.pad(ink, margin)
    for down in range(-margin, margin + 1):
        for across in range(-margin, margin + 1):
            weight = radius + 1 - np.sqrt(down * down + across * across)
            if weight > 0 and (down or across):
                part = thicker[margin + down :, margin + across :][:height, :width]
                np.maximum(part, min(weight, 1.0) * ink, out=part)
    return thicker
