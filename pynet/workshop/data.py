"""Find MNIST's files in a folder and put them together to a training and a test set.

Reading single files is the business of `readers`, fetching them that of `download`.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pynet.workshop.download import ADVICE, cache_folder, fill
from pynet.workshop.readers import Content, DataError, read

# Where only labelled training data is found (Kaggle's test.csv has no labels), the last seventh
# of it is the test set: MNIST's own proportion, 10,000 of 70,000.
TEST_SHARE = 7
# How deep and how many files a folder is searched; torchvision keeps its files in MNIST/raw/.
MAX_DEPTH = 2
MAX_FILES = 1000


@dataclass
class Dataset:
    """Digits to train on and digits to judge by.

    Images are (N, 28, 28) uint8, 0 for background; labels (N,) uint8 in 0..9. `checksums` maps
    the name of each file used to its SHA-256; `place` is the folder or file they were found in.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    checksums: dict[str, str]
    place: Path | None = None


GENERATED = "generated"  # in place of a folder: no collected digits at all


def no_images() -> Dataset:
    """Return a data set without images, for training on what is drawn alone."""
    images, labels = np.empty((0, 28, 28), np.uint8), np.empty(0, np.uint8)
    return Dataset(images, labels, images, labels, {}, Path(GENERATED))


@dataclass
class _Labelled:
    """Images with their labels and the files they came from."""

    images: np.ndarray
    labels: np.ndarray
    paths: list[Path]


def load_mnist(folder=None) -> Dataset:
    """Load MNIST from a folder, else from PYNET_DATA, else from a cache that is filled if empty.

    Parameters
    ----------
    folder : path-like, optional
        A folder that holds the data in any known format and under any names, or one such file.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If no usable data is found; the message names the file or says what to do.
    """
    chosen = folder or os.environ.get("PYNET_DATA")
    if chosen:
        place = Path(chosen)
    else:
        place = cache_folder()
        fill(place)
    return replace(assemble(place), place=place)


def assemble(place: Path) -> Dataset:
    """Put together whatever data a folder (or one file) holds.

    Raises
    ------
    DataError
        If there is none, or it is incomplete, damaged or ambiguous.
    """
    if not place.exists():
        raise DataError(f"{place}: no such folder; {ADVICE}")
    contents, failures = [], []
    for path in _files(place):
        try:
            content = read(path)
        except DataError as error:  # matters only if the rest is not enough
            failures.append(error)
            continue
        if content is not None:
            contents.append(content)
    keras = [content for content in contents if content.kind == "keras"]
    if keras:
        return _from_keras(keras[0])
    sets = _pair(contents)
    if failures and len(sets) < 2:
        raise failures[0]
    if not sets:
        raise DataError(f"{place}: no MNIST data found in it (IDX, mnist.npz or CSV); {ADVICE}")
    if len(sets) == 1:
        return _carve(sets[0])
    return _from_sets(place, sets)


def _files(place: Path):
    """Yield the files of a folder in a fixed order, down to MAX_DEPTH."""
    if place.is_file():
        yield place
        return
    found = 0
    for folder, folders, names in os.walk(place):
        folders.sort()
        if len(Path(folder).relative_to(place).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file():  # no pipes or devices
                found += 1
                if found > MAX_FILES:
                    raise DataError(f"{place}: more than {MAX_FILES} files; name a smaller folder")
                yield path


def _pair(contents: list[Content]) -> list[_Labelled]:
    """Join IDX images with the labels of the same count; keep one of each set that comes twice."""
    sets = []
    for content in contents:
        if content.kind == "csv-labelled":
            sets.append(_Labelled(content.parts["images"], content.parts["labels"], [content.path]))
    images = [content for content in contents if content.kind == "idx-images"]
    labels = [content for content in contents if content.kind == "idx-labels"]
    for content in images:
        count = len(content.parts["images"])
        matches = [other for other in labels if len(other.parts["labels"]) == count]
        if not matches:
            raise DataError(f"{content.path}: no file holds labels for its {count} images")
        if len({other.parts["labels"].tobytes() for other in matches}) > 1:  # then by name
            role = _role(content.path)
            matches = [other for other in matches if role and _role(other.path) == role]
            if not matches:
                raise DataError(f"{content.path}: several files hold labels for {count} images")
        labelled = matches[0]
        sets.append(
            _Labelled(
                content.parts["images"], labelled.parts["labels"], [content.path, labelled.path]
            )
        )
    different = []
    for candidate in sets:
        if not any(np.array_equal(candidate.images, kept.images) for kept in different):
            different.append(candidate)
    return different


def _role(path: Path) -> str | None:
    """Say whether a name speaks of training or of testing; only asked when sizes cannot tell."""
    name = path.name.lower()
    if "train" in name:
        return "train"
    return "test" if "test" in name or "t10k" in name else None


def _from_sets(place: Path, sets: list[_Labelled]) -> Dataset:
    """Take the larger set for training; where sizes are equal, go by the names."""
    if len(sets) > 2:
        names = ", ".join(labelled.paths[0].name for labelled in sets)
        raise DataError(f"{place}: expected a training and a test set, found {len(sets)}: {names}")
    train, test = sorted(sets, key=lambda labelled: -len(labelled.images))
    if len(train.images) == len(test.images):
        by_role = {_role(labelled.paths[0]): labelled for labelled in sets}
        if set(by_role) != {"train", "test"}:
            raise DataError(f"{place}: cannot tell the training set from the test set")
        train, test = by_role["train"], by_role["test"]
    return Dataset(
        train.images, train.labels, test.images, test.labels, _checksums(train.paths + test.paths)
    )


def _from_keras(content: Content) -> Dataset:
    """Use the two sets of a Keras file."""
    parts = content.parts
    for split in ("train", "test"):
        images, labels = len(parts[f"{split}_images"]), len(parts[f"{split}_labels"])
        if images != labels:
            raise DataError(f"{content.path}: {images} {split} images but {labels} labels")
    return Dataset(**parts, checksums=_checksums([content.path]))


def _carve(labelled: _Labelled) -> Dataset:
    """Make a test set of the last seventh of the only labelled data there is."""
    count = len(labelled.images)
    test = count // TEST_SHARE
    if test == 0:
        raise DataError(f"{labelled.paths[0]}: {count} images are too few to train and to test")
    cut = count - test
    return Dataset(
        labelled.images[:cut], labelled.labels[:cut],
        labelled.images[cut:], labelled.labels[cut:],
        _checksums(labelled.paths),
    )  # fmt: skip


def _checksums(paths: list[Path]) -> dict[str, str]:
    """Map file names to the SHA-256 of their bytes."""
    checksums = {}
    for path in paths:
        with path.open("rb") as file:
            checksums[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return checksums
