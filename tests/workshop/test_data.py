"""Finding and putting together data sets: by content, from every place, or one line of advice."""

import functools
import gc
import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest
from workshop.samples import csv, digits, idx, write_idx

from pynet.workshop import download
from pynet.workshop.data import DataError, load_mnist

TRAIN, TRAIN_LABELS = digits(70, seed=1)
TEST, TEST_LABELS = digits(20, seed=2)
# pooch leaves the connection of a failed download to the garbage collector.
unclosed = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


def assert_is_sample(dataset):
    """Assert that the data set is the one above."""
    np.testing.assert_array_equal(dataset.train_images, TRAIN)
    np.testing.assert_array_equal(dataset.train_labels, TRAIN_LABELS)
    np.testing.assert_array_equal(dataset.test_images, TEST)
    np.testing.assert_array_equal(dataset.test_labels, TEST_LABELS)


def store(folder, **files):
    """Write files of these names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def four(names="abcd"):
    """Return the four IDX files under these names."""
    arrays = (TRAIN, TRAIN_LABELS, TEST, TEST_LABELS)
    return {name: idx(values) for name, values in zip(names, arrays, strict=True)}


def test_idx_under_any_name(tmp_path):
    """Sizes tell training from test, whatever the files are called, among other files."""
    store(tmp_path, **four("wxyz"), notes=b"not data")
    dataset = load_mnist(tmp_path)
    assert_is_sample(dataset)
    assert dataset.checksums["w"] == hashlib.sha256(idx(TRAIN)).hexdigest()
    assert set(dataset.checksums) == set("wxyz")


def test_deeper_folder_and_doubles(tmp_path):
    """Torchvision's MNIST/raw with packed and plain files side by side is one data set."""
    files = four(["train-images", "train-labels", "t10k-images", "t10k-labels"])
    packed = {f"{name}.gz": gzip.compress(content) for name, content in files.items()}
    store(tmp_path / "MNIST" / "raw", **files, **packed)
    assert_is_sample(load_mnist(tmp_path))


def test_equal_sizes_go_by_name(tmp_path):
    """Sets of one size are told apart by train and test in their names, or not at all."""
    arrays = (TEST, TEST_LABELS, *digits(20, seed=3))
    names = ["train-images", "train-labels", "t10k-images", "t10k-labels"]
    store(tmp_path / "named", **{n: idx(a) for n, a in zip(names, arrays, strict=True)})
    dataset = load_mnist(tmp_path / "named")
    np.testing.assert_array_equal(dataset.train_images, arrays[0])
    np.testing.assert_array_equal(dataset.test_labels, arrays[3])
    store(tmp_path / "unnamed", **{n: idx(a) for n, a in zip("abcd", arrays, strict=True)})
    with pytest.raises(DataError, match="several files hold labels"):
        load_mnist(tmp_path / "unnamed")


def test_keras_file(tmp_path):
    """A folder with mnist.npz, or the file itself, will do."""
    path = tmp_path / "renamed.bin"
    with path.open("wb") as file:
        np.savez(file, x_train=TRAIN, y_train=TRAIN_LABELS, x_test=TEST, y_test=TEST_LABELS)
    assert_is_sample(load_mnist(tmp_path))
    assert_is_sample(load_mnist(path))
    with path.open("wb") as file:
        np.savez(file, x_train=TRAIN, y_train=TRAIN_LABELS[1:], x_test=TEST, y_test=TEST_LABELS)
    with pytest.raises(DataError, match="70 train images but 69 labels"):
        load_mnist(path)


def test_kaggle(tmp_path):
    """Of Kaggle's two files the test set has no labels: the last seventh of train.csv serves."""
    store(tmp_path, train=csv(TRAIN, TRAIN_LABELS), test=csv(TEST))
    dataset = load_mnist(tmp_path)
    np.testing.assert_array_equal(dataset.train_images, TRAIN[:60])
    np.testing.assert_array_equal(dataset.test_images, TRAIN[60:])
    np.testing.assert_array_equal(dataset.test_labels, TRAIN_LABELS[60:])
    assert set(dataset.checksums) == {"train"}


def test_two_labelled_csv(tmp_path):
    """Two labelled tables are training and test set."""
    store(tmp_path, a=csv(TEST, TEST_LABELS), b=csv(TRAIN, TRAIN_LABELS))
    assert_is_sample(load_mnist(tmp_path))


def test_environment(tmp_path, monkeypatch):
    """--data goes before PYNET_DATA, and that before the cache."""
    monkeypatch.setenv("PYNET_DATA", str(store(tmp_path / "here", **four())))
    assert_is_sample(load_mnist())
    with pytest.raises(DataError, match="no such folder"):
        load_mnist(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no MNIST data found in it"),
        ({"x": b"nothing"}, "no MNIST data found in it"),
        ({"a": idx(TRAIN)}, "no file holds labels for its 70 images"),
        ({"a": idx(TRAIN), "b": idx(TEST_LABELS)}, "no file holds labels for its 70 images"),
        ({**four(), "d": idx(TEST_LABELS)[:-1]}, "no file holds labels for its 20 images"),
        ({"a": csv(TRAIN[:5], TRAIN_LABELS[:5])}, "5 images are too few"),
        ({"a": csv(TRAIN, TRAIN_LABELS)[:-1400]}, "not a table|expected 785"),
        ({**four(), "e": csv(*digits(40, seed=9))}, "expected a training and a test set, found 3"),
    ],
)
def test_unusable_folders(tmp_path, files, message):
    """What is missing or damaged is said in one line that names the place."""
    store(tmp_path, **files)
    with pytest.raises(DataError, match=message) as caught:
        load_mnist(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Serve the sample as if it were MNIST, from the second mirror; the first has wrong bytes."""
    names = list(download.SHA256)
    files = four(names)
    store(tmp_path / "www" / "good", **files)
    store(tmp_path / "www" / "bad", **dict.fromkeys(names, b"an error page"))
    handler = functools.partial(QuietHandler, directory=tmp_path / "www")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(download, "MIRRORS", (f"{root}/bad/", f"{root}/missing/", f"{root}/good/"))
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(download, "SHA256", checksums)
    monkeypatch.delenv("PYNET_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield server
    server.shutdown()
    server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A server without a log."""

    def log_message(self, *_):
        """Say nothing."""


@unclosed
def test_download(mirror, tmp_path, monkeypatch):
    """The cache is filled from the first mirror with the right bytes, and then used."""
    assert_is_sample(load_mnist())
    gc.collect()  # here, where the mark above covers it
    folder = download.cache_folder()
    assert sorted(path.name for path in folder.iterdir()) == sorted(download.SHA256)
    monkeypatch.setattr(download, "MIRRORS", ())
    assert_is_sample(load_mnist())


@unclosed
def test_no_network(mirror, monkeypatch):
    """Without a mirror there is one line that says what to do, and no broken file stays."""
    monkeypatch.setattr(download, "MIRRORS", (download.MIRRORS[0], "http://127.0.0.1:9/"))
    with pytest.raises(DataError, match="name it with --data or PYNET_DATA") as caught:
        load_mnist()
    gc.collect()  # here, where the mark above covers it
    assert "\n" not in str(caught.value)
    folder = download.cache_folder()
    assert not folder.exists() or list(folder.iterdir()) == []


def test_no_pooch(mirror, monkeypatch):
    """Without pooch the line says so."""
    monkeypatch.setattr(download, "find", lambda name: None)
    with pytest.raises(DataError, match="pooch to download it is missing"):
        load_mnist()


@pytest.mark.mnist
def test_real_files(mnist_folder):
    """The canonical files give 60,000 and 10,000 digits with the published checksums."""
    dataset = load_mnist(mnist_folder)
    assert dataset.train_images.shape == (60000, 28, 28)
    assert dataset.test_images.shape == (10000, 28, 28)
    assert dataset.checksums == download.SHA256
    assert dataset.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(dataset.test_labels).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip


@pytest.mark.mnist
def test_real_images_in_all_formats(mnist_folder, tmp_path):
    """The same digits come out of IDX, Keras's file and CSV."""
    real = load_mnist(mnist_folder)
    train, labels = real.train_images[:3000], real.train_labels[:3000]
    test, test_labels = real.test_images[:500], real.test_labels[:500]
    with (tmp_path / "m.npz").open("wb") as file:
        np.savez(file, x_train=train, y_train=labels, x_test=test, y_test=test_labels)
    store(tmp_path / "csv", a=csv(train, labels), b=csv(test, test_labels))
    for place in (tmp_path / "m.npz", tmp_path / "csv"):
        dataset = load_mnist(place)
        np.testing.assert_array_equal(dataset.train_images, train)
        np.testing.assert_array_equal(dataset.test_labels, test_labels)


def test_samples_are_readable(tmp_path):
    """The helper of the other tests writes what it says."""
    arrays = write_idx(tmp_path / "x", train=50, test=9)
    np.testing.assert_array_equal(load_mnist(tmp_path / "x").train_images, arrays[0])
