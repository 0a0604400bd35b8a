"""Distort digit images at random, as hands and pens do, so that a network sees more writers.

Affine and elastic distortion share one bilinear resampling; a change of pen width comes before
it. Everything random comes from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE = 28
# Zeros around each image: what lies outside is background, and no gather needs a bounds check.
MARGIN = 2
PADDED = SIDE + 2 * MARGIN
# So many images at a time keep the dozen buffers below in a core's L2 cache (measured: 16 to 64
# are alike, 128 is a fifth slower).
CHUNK = 32


@dataclass(frozen=True)
class Augmenter:
    """Distort a batch of 28x28 images; every amount is zero (off) unless given.

    Parameters
    ----------
    rotation : float
        Largest turn either way, in degrees.
    scale : float
        Height and width are each stretched by a factor within [1 - scale, 1 + scale].
    shear : float
        Largest slant either way: pixels of x for each pixel of y.
    shift : float
        Largest move in x and in y, in pixels.
    elastic : float
        Root mean square of the elastic displacement in x and in y, in pixels.
    smoothness : float
        Standard deviation of the Gaussian that smooths the elastic displacement, in pixels.
    thickness : float in [0, 1]
        Largest blend towards a pen one pixel wider on each side (grey dilation) or narrower
        (grey erosion).

    Notes
    -----
    Amounts are uniform in their ranges. Simard smooths noise by a Gaussian and multiplies by a
    free constant; here the smoothed noise has unit variance at every pixel, edges included, so
    that `elastic` is in pixels.

    References
    ----------
    Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks
    applied to visual document analysis", ICDAR, section 2.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0
    thickness: float = 0.0

    def __post_init__(self):
        for name, value in vars(self).items():
            if not 0 <= value < np.inf:
                raise ValueError(f"{name} must be a number >= 0, got {value!r}")
        for name in ("scale", "thickness"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)!r}")
        if self.smoothness == 0:
            raise ValueError("smoothness must be above 0 pixels, got 0")

    def __call__(self, images, rng: np.random.Generator):
        """Distort each image differently.

        Parameters
        ----------
        images : (N, 28, 28) uint8 in 0..255 or float32 in [0, 1] ndarray
        rng : numpy.random.Generator
            The only source of chance: the same state and images give the same result.

        Returns
        -------
        (N, 28, 28) float32 ndarray in [0, 1]

        Raises
        ------
        ValueError
            If the images have another shape.
        """
        if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"expected images of shape (N, {SIDE}, {SIDE}), got {images.shape}")
        count = len(images)
        matrices, offsets = self._affine(count, rng)
        noise = rng.random((count if self.elastic else 0, 2, SIDE, SIDE), dtype=np.float32)
        blends = rng.uniform(-self.thickness, self.thickness, (count, 1, 1)).astype(np.float32)
        result = np.empty((count, SIDE, SIDE), np.float32)
        for start in range(0, count, CHUNK):
            part = slice(start, start + CHUNK)
            padded = pad(images[part])
            if self.thickness:
                padded = change_pen_width(padded, blends[part])
            coordinates = affine_coordinates(matrices[part], offsets[part])
            if self.elastic:
                coordinates += self.elastic * smooth(noise[part], self.smoothness)
            sample(padded, coordinates, out=result[part])
        return result

    def _affine(self, count, rng):
        """Draw the (N, 2, 2) matrices and (N, 2) offsets from output to source pixels."""
        amount = rng.uniform(-1, 1, (6, count))
        turn = np.deg2rad(self.rotation * amount[0])
        slant = self.shear * amount[1]
        # A stretch by s reads the source at steps of 1 / s.
        step_y = 1 / np.maximum(1 + self.scale * amount[2], 0.05)
        step_x = 1 / np.maximum(1 + self.scale * amount[3], 0.05)
        cos, sin = np.cos(turn), np.sin(turn)
        # rotation @ shear @ stretch, for (y, x) column vectors
        rows = [
            [(cos + sin * slant) * step_y, sin * step_x],
            [(-sin + cos * slant) * step_y, cos * step_x],
        ]
        matrices = np.array(rows).transpose(2, 0, 1)  # (N, 2, 2)
        offsets = self.shift * amount[4:].T  # (N, 2)
        return matrices.astype(np.float32), offsets.astype(np.float32)


def pad(images):
    """Return float32 images in [0, 1] with a margin of zeros, (N, 32, 32)."""
    padded = np.zeros((len(images), PADDED, PADDED), np.float32)
    inner = padded[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    if images.dtype == np.uint8:
        np.multiply(images, np.float32(1 / 255), out=inner)
    else:
        inner[:] = images
    return padded


def change_pen_width(padded, blends):
    """Blend each image with its grey dilation (blend > 0) or erosion (blend < 0).

    The structuring element is the pixel and its four neighbours, a disc of radius one.

    Parameters
    ----------
    padded : (N, H, W) float32 ndarray
        The outermost ring of pixels is returned as zero.
    blends : (N, 1, 1) float32 ndarray in [-1, 1]

    Returns
    -------
    (N, H, W) float32 ndarray
    """
    inner = padded[:, 1:-1, 1:-1]
    neighbours = (
        padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:],
    )  # fmt: skip
    wide, narrow = inner.copy(), inner.copy()
    for neighbour in neighbours:
        np.maximum(wide, neighbour, out=wide)
        np.minimum(narrow, neighbour, out=narrow)
    wide -= inner
    narrow -= inner
    wide *= np.maximum(blends, 0)
    narrow *= np.maximum(-blends, 0)
    result = np.zeros_like(padded)
    np.add(inner, wide, out=result[:, 1:-1, 1:-1])
    result[:, 1:-1, 1:-1] += narrow
    return result


def affine_coordinates(matrices, offsets):
    """Map every output pixel to a place in the source: matrix @ (p - centre) + centre + offset.

    Parameters
    ----------
    matrices : (N, 2, 2) float32 ndarray, for (y, x)
    offsets : (N, 2) float32 ndarray, in pixels

    Returns
    -------
    (N, 2, 28, 28) float32 ndarray
        The y and the x that each output pixel reads.
    """
    centre = np.float32((SIDE - 1) / 2)
    steps = np.arange(SIDE, dtype=np.float32) - centre
    along_y = matrices[:, :, 0, None] * steps  # (N, 2, 28)
    along_x = matrices[:, :, 1, None] * steps + (offsets + centre)[:, :, None]
    return along_y[:, :, :, None] + along_x[:, :, None, :]


def smoothing_matrix(smoothness):
    """Return the (28, 28) float32 Gaussian whose rows have unit sum of squares.

    Independent noise of unit variance, multiplied by it from both sides, is smooth and still has
    unit variance at each pixel.
    """
    steps = np.arange(SIDE)
    gaussian = np.exp(-((steps[:, None] - steps) ** 2) / (2 * smoothness**2))
    return (gaussian / np.linalg.norm(gaussian, axis=1, keepdims=True)).astype(np.float32)


def smooth(noise, smoothness):
    """Turn uniform noise in [0, 1), (..., 28, 28), into a smooth field of unit variance."""
    matrix = smoothing_matrix(smoothness)
    centred = (noise - np.float32(0.5)) * np.float32(12**0.5)  # variance 1/12 to 1
    return matrix @ (centred @ matrix.T)


def sample(padded, coordinates, out):
    """Read images at fractional places, bilinearly; outside is 0.

    Parameters
    ----------
    padded : (N, 32, 32) float32 ndarray
        Images with their margin of zeros.
    coordinates : (N, 2, 28, 28) float32 ndarray
        y and x in pixels of the unpadded image. Overwritten.
    out : (N, 28, 28) float32 ndarray
        Receives the result.
    """
    flat = padded.reshape(-1)
    coordinates += MARGIN
    # The outermost ring is 0, so what is clipped to it reads background.
    np.clip(coordinates, 0, np.nextafter(np.float32(PADDED - 1), np.float32(0)), out=coordinates)
    whole = np.floor(coordinates)
    fraction_y, fraction_x = (coordinates - whole).transpose(1, 0, 2, 3)
    # Exact in float32: at most CHUNK * 32 * 32 = 2 ** 15 places.
    places = whole[:, 0] * PADDED
    places += whole[:, 1]
    places += (np.arange(len(padded), dtype=np.float32) * PADDED**2)[:, None, None]
    index = places.astype(np.intp)
    corner = np.empty_like(index, dtype=np.float32)

    def between(first, second, fraction, target):
        """Fill target with first + fraction * (second - first)."""
        np.subtract(second, first, out=target)
        target *= fraction
        target += first
        return target

    # mode="clip" spares numpy a second buffer; every index is in range.
    top_left = np.take(flat, index, mode="clip")
    np.take(flat[1:], index, out=corner, mode="clip")
    top = between(top_left, corner, fraction_x, np.empty_like(corner))
    bottom_left = np.take(flat[PADDED:], index, out=top_left, mode="clip")
    np.take(flat[PADDED + 1 :], index, out=corner, mode="clip")
    bottom = between(bottom_left, corner, fraction_x, np.empty_like(corner))
    between(top, bottom, fraction_y, out)
