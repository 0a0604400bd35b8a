"""The readers of single files: right on whole ones, one clear line on all others."""

import gzip
import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from workshop.samples import csv, digits, idx

from pynet.workshop import readers
from pynet.workshop.readers import DataError, read

IMAGES, LABELS = digits(30)


def store(path, data):
    """Write bytes and return the path."""
    path.write_bytes(data)
    return path


def keras(**changes):
    """Return the bytes of a Keras file, some of whose arrays are changed (None: left out)."""
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:9], "y_test": LABELS[:9]}
    arrays |= changes
    file = io.BytesIO()
    np.savez_compressed(
        file, **{name: array for name, array in arrays.items() if array is not None}
    )
    return file.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_idx(tmp_path, pack):
    """IDX is read, plain and packed, under any name."""
    images = read(store(tmp_path / "x.jpg", pack(idx(IMAGES))))
    labels = read(store(tmp_path / "y", pack(idx(LABELS))))
    assert images.kind == "idx-images"
    assert labels.kind == "idx-labels"
    np.testing.assert_array_equal(images.parts["images"], IMAGES)
    np.testing.assert_array_equal(labels.parts["labels"], LABELS)


def test_keras(tmp_path):
    """Keras's archive gives all four arrays, whatever whole-number type they have."""
    content = read(store(tmp_path / "m", keras(y_train=LABELS.astype(np.int64))))
    assert content.kind == "keras"
    np.testing.assert_array_equal(content.parts["train_images"], IMAGES)
    np.testing.assert_array_equal(content.parts["train_labels"], LABELS)
    np.testing.assert_array_equal(content.parts["test_labels"], LABELS[:9])
    assert content.parts["train_labels"].dtype == np.uint8


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_csv(tmp_path, end, start):
    """Kaggle's CSV is read with and without labels, with either line end."""
    labelled = read(store(tmp_path / "a", start + csv(IMAGES, LABELS, end)))
    unlabelled = read(store(tmp_path / "b", start + csv(IMAGES, end=end)))
    np.testing.assert_array_equal(labelled.parts["images"], IMAGES)
    np.testing.assert_array_equal(labelled.parts["labels"], LABELS)
    np.testing.assert_array_equal(unlabelled.parts["images"], IMAGES)
    assert "labels" not in unlabelled.parts


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n", b"PK\x03\x04", b"a,b\n1,2\n"])
def test_other_files_are_no_data(tmp_path, data):
    """A file of another kind is passed over, unless it is an archive that is broken."""
    path = store(tmp_path / "x", data)
    if data.startswith(b"PK"):
        with pytest.raises(DataError, match="damaged or truncated"):
            read(path)
    else:
        assert read(path) is None


def bomb(count):
    """Return gzip whose first bytes promise `count` labels and which holds 300 MB of zeros."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as packed:
        packed.write(b"\0\0\x08\x01" + struct.pack(">I", count))
        for _ in range(300):
            packed.write(bytes(2**20))
    return file.getvalue()


def npy(shape):
    """Return a .npy file whose header promises `shape` of uint8 and which holds nothing."""
    file = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def archive(data):
    """Return a Keras archive whose four members all hold these bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            packed.writestr(f"{name}.npy", data)
    return file.getvalue()


def pickled():
    """Return the bytes of an array of objects, which only pickle could read."""
    file = io.BytesIO()
    np.save(file, np.array([{}, {}], dtype=object), allow_pickle=True)
    return file.getvalue()


def header(*sizes):
    """Return an IDX header for these sizes."""
    return bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)


ROW = ",".join(["0"] * 784)
HEAD = csv(IMAGES[:1], LABELS[:1]).split(b"\n")[0].decode() + "\n"
HOSTILE = {
    "idx header cut": (b"\0\0\x08\x03\0\0", "truncated in the IDX header after 6 bytes"),
    "idx data cut": (idx(IMAGES)[:-1], "promises 23520 bytes of data, got 23519"),
    "idx too long": (idx(IMAGES) + b"x", "promises 23520 bytes of data, got more"),
    "idx of 4 billion": (
        header(2**32 - 1, 28, 28),
        "expected 1 to 200000 items.* 4294967295",
    ),
    "idx of none": (header(0, 28, 28), "the header says 0"),
    "idx of other size": (header(1, 2**31, 2**31), "28x28 pixels, got 2147483648x2147483648"),
    "labels above 9": (idx(LABELS + 9), "expected labels 0..9"),
    "gzip cut": (gzip.compress(idx(IMAGES))[:-30], "damaged or truncated"),
    "gzip noise": (b"\x1f\x8b" + bytes(range(60)), "damaged or truncated"),
    "gzip bomb": (bomb(1000), "promises 1000 bytes of data, got more"),
    "zip cut": (keras()[:-50], "damaged or truncated"),
    "zip bomb": (archive(bytes(170 * 2**20)), "x_train.npy is not a plain array"),
    "npy of a terabyte": (archive(npy((10**9, 28, 28))), "is not a plain array"),
    "pickles": (archive(pickled()), "is not a plain array"),
    "float images": (keras(x_train=IMAGES / 255), "whole-number images"),
    "flat images": (keras(x_train=IMAGES.reshape(30, -1)), r"got \(30, 784\)"),
    "csv with a word": (f"{HEAD}1,{ROW.replace('0', 'x', 1)}\n".encode(), "not a table"),
    "csv with nan": (f"{HEAD}1,{ROW.replace('0', 'nan', 1)}\n".encode(), "not a table"),
    "csv above 255": (f"{HEAD}1,{ROW.replace('0', '256', 1)}\n".encode(), "grey levels 0..255"),
    "csv beyond int16": (f"{HEAD}1,{ROW.replace('0', '9' * 40, 1)}\n".encode(), "not a table"),
    "csv row too short": (f"{HEAD}1,2,3\n".encode(), "expected 785 columns"),
    "csv ragged": (f"{HEAD}1,{ROW}\n1,2\n".encode(), "not a table"),
    "csv of a header": (HEAD.encode(), "at least one row"),
    "csv label 12": (f"{HEAD}12,{ROW}\n".encode(), "expected labels 0..9"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    """A damaged or hostile file raises one line that names it."""
    data, message = HOSTILE[name]
    path = store(tmp_path / "data file", data)
    with pytest.raises(DataError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_read_no_further_than_needed(tmp_path):
    """300 MB hidden behind a promise of 1,000 labels never get into memory."""
    path = store(tmp_path / "bomb", bomb(1000))
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_csv_is_bounded(tmp_path, monkeypatch):
    """A CSV beyond the limit is refused."""
    monkeypatch.setattr(readers, "MAX_BYTES", 10_000)
    with pytest.raises(DataError, match="larger than 10000 bytes"):
        read(store(tmp_path / "x.csv", csv(IMAGES, LABELS)))


def test_unreadable(tmp_path):
    """A file that is not there is one line too."""
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nothing")
