"""Image files in and out, by Pillow: files to grey pictures, and mistakes to a contact sheet.

What a grey picture means as a digit is the business of `pynet.ink`.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np

from pynet.workshop import outputs
from pynet.workshop.extras import need
from pynet.workshop.readers import DataError

MAX_BYTES = 256 * 2**20
# pynet.ink averages larger pictures down anyway; doing it here keeps them out of memory as floats.
MAX_SIDE = 2048


def read_picture(file, name: str):
    """Read the first picture of an image file as grey levels.

    Turned upright as its EXIF data says; what is transparent becomes white.

    Parameters
    ----------
    file : binary file
    name : str
        What to call it in errors.

    Returns
    -------
    (H, W) uint8 or uint16 ndarray
        Its longer side at most 2048 pixels.

    Raises
    ------
    DataError
        If it is no image, damaged, or larger than Pillow's limit of pixels.
    MissingExtraError
        Without Pillow.
    """
    images = need("PIL.Image", "reading images")
    turn = need("PIL.ImageOps", "reading images").exif_transpose
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DataError(f"{name}: larger than {MAX_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", images.DecompressionBombWarning)
            with images.open(io.BytesIO(data)) as image:
                image.draft("L", (MAX_SIDE, MAX_SIDE))  # JPEG can be decoded smaller at once
                return _grey(turn(image), images)
    except Exception as error:  # Pillow's decoders raise whatever a hostile file makes them raise
        if isinstance(error, (images.DecompressionBombError, images.DecompressionBombWarning)):
            reason = f"more than {images.MAX_IMAGE_PIXELS:,} pixels"
        elif isinstance(error, images.UnidentifiedImageError):
            reason = "not an image in a known format"
        else:
            reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{name}: {reason}") from error


def _grey(image, images):
    """Return an upright image as grey levels, no larger than MAX_SIDE."""
    factor = -(-max(image.size) // MAX_SIDE)
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits and more: no transparency
        if image.mode == "F":
            raise ValueError("floating-point images are not supported")
        return np.clip(np.asarray(image), 0, 65535).astype(np.uint16)[::factor, ::factor]
    if image.mode not in ("1", "L", "RGB", "CMYK", "YCbCr") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = images.new("RGBA", image.size, "white")
        paper.alpha_composite(image)
        image = paper
    image = image.convert("L")
    return np.asarray(image if factor == 1 else image.reduce(factor))


def draw_ink(strokes, side: int):
    """Draw pen strokes as thin dark lines that fill a square: the ink itself, for people to see.

    Parameters
    ----------
    strokes : list of (n, 2) ndarrays
        x to the right and y down, in any unit.
    side : int
        Of the square, in pixels.

    Returns
    -------
    (side, side) uint8 ndarray
        255 for ink, as in MNIST.

    Raises
    ------
    MissingExtraError
        Without Pillow.
    """
    fine = 4  # drawn so many times larger, then averaged: smooth edges
    image = need("PIL.Image", "the contact sheet").new("L", (side * fine, side * fine))
    pen = need("PIL.ImageDraw", "the contact sheet").Draw(image)
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    scale = 0.86 * side * fine / max(float((high - low).max()), 1e-9)
    width = side * fine // 24
    for stroke in strokes:
        places = (stroke - (low + high) / 2) * scale + side * fine / 2
        pen.line([tuple(place) for place in places], fill=255, width=width, joint="curve")
        for x, y in (places[0], places[-1]):
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
    return np.asarray(image.reduce(fine))


def contact_sheet(images, captions: list[str], path: Path, *, columns=10, zoom=3) -> None:
    """Write many small images with captions as one PNG, ink dark on light.

    Parameters
    ----------
    images : (N, S, S) ndarray
        uint8 in 0..255, or float in [0, 1]; resized to 28 times `zoom`.
    captions : list of N str
        A few characters each.
    path : Path
        Replaced whole, or left as it was.

    Raises
    ------
    MissingExtraError
        Without Pillow.
    OSError
        If the file cannot be written.
    """
    pillow = need("PIL.Image", "the contact sheet")
    draw = need("PIL.ImageDraw", "the contact sheet")
    side, text, gap = 28 * zoom, 16, 6
    rows = max(1, -(-len(images) // columns))
    size = (columns * (side + gap) + gap, rows * (side + text + gap) + gap)
    sheet = pillow.new("L", size, 235)
    pen = draw.Draw(sheet)
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        grey = image if image.dtype == np.uint8 else np.round(image * 255).astype(np.uint8)
        row, column = divmod(number, columns)
        corner = gap + column * (side + gap), gap + row * (side + text + gap)
        tile = pillow.fromarray(255 - grey).resize((side, side), pillow.Resampling.NEAREST)
        sheet.paste(tile, corner)
        pen.text((corner[0], corner[1] + side + 1), caption, fill=0)
    if not len(images):
        pen.text((gap, gap), "no mistakes", fill=0)
    file = io.BytesIO()
    sheet.save(file, format="PNG")
    outputs.write(path, file.getvalue())
