"""Small data for the tests of the workshop: digits that look like MNIST's, in each file format."""

import gzip
import struct

import numpy as np

# Which of the seven segments of a pocket calculator's display each digit lights.
SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcfgd")
PLACES = {
    "a": (slice(4, 6), slice(9, 19)),
    "b": (slice(4, 14), slice(17, 19)),
    "c": (slice(14, 24), slice(17, 19)),
    "d": (slice(22, 24), slice(9, 19)),
    "e": (slice(14, 24), slice(9, 11)),
    "f": (slice(4, 14), slice(9, 11)),
    "g": (slice(13, 15), slice(9, 19)),
}


def digits(count, seed=0):
    """Return (count, 28, 28) uint8 images with noise and moved a little, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, count).astype(np.uint8)
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        for segment in SEGMENTS[label]:
            image[PLACES[segment]] = rng.integers(150, 256)
        image[:] = np.roll(image, rng.integers(-2, 3, 2), axis=(0, 1))
        image[rng.random((28, 28)) < 0.03] = rng.integers(0, 256)
    return images, labels


def idx(values):
    """Return uint8 values as the bytes of an IDX file."""
    return (
        bytes([0, 0, 8, values.ndim])
        + struct.pack(f">{values.ndim}I", *values.shape)
        + bytes(values.tobytes())
    )


def write_idx(folder, train=600, test=200, packed=True):
    """Write a data set of these sizes as four IDX files under names of no meaning."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = [*digits(train, seed=1), *digits(test, seed=2)]
    for name, values in zip("abcd", arrays, strict=True):
        data = idx(values)
        (folder / name).write_bytes(gzip.compress(data) if packed else data)
    return arrays


def csv(images, labels=None, end="\n"):
    """Return images, with labels or without, as the bytes of Kaggle's CSV."""
    names = [f"pixel{number}" for number in range(784)]
    rows = images.reshape(len(images), -1).tolist()
    if labels is not None:
        names = ["label", *names]
        rows = [[label, *row] for label, row in zip(labels.tolist(), rows, strict=True)]
    return (end.join(",".join(map(str, row)) for row in [names, *rows]) + end).encode()
