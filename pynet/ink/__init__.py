"""What is drawn: pen strokes and pictures to the 28x28 images that MNIST would hold.

Images are ``(28, 28) float32`` in [0, 1], 0 background, 1 ink; ``x`` goes to the right, ``y``
down. *Box*: the 20-pixel square that the ink fills; *frame*: the 28-pixel image around it.
Numpy and the standard library alone, so that the page, the command lines and training share it.
"""

from pynet.ink.pictures import picture_to_image
from pynet.ink.strokes import strokes_to_image, strokes_to_images

PREPROCESSING_VERSION = 1  # goes up when the same ink no longer gives the same image

__all__ = ["PREPROCESSING_VERSION", "picture_to_image", "strokes_to_image", "strokes_to_images"]
