"""The command line of evaluation: its figures, its JSON, its pictures, its errors."""

import gzip
import json

import numpy as np
import pytest
from PIL import Image
from workshop.samples import write_idx

from pynet import Flatten, Linear, Sequential, build, evaluate, load, save, train
from pynet.ink import PREPROCESSING_VERSION
from pynet.workshop.batches import to_network
from pynet.workshop.data import load_mnist
from pynet.workshop.download import SHA256
from pynet.workshop.recipes import RECIPES, Recipe

KEYS = {"accuracy", "count", "per_class", "calibration_error", "confusion"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with data, trained weights and a file of strokes."""
    folder = tmp_path_factory.mktemp("evaluate")
    write_idx(folder / "data")
    arguments = f"mlp --epochs=10 --batch-size=32 --out={folder}/net.npz --data={folder}/data"
    assert train.main(arguments.split()) == 0
    bars = [
        {"label": 1, "writer": 1, "strokes": [[[0.5, 0.1], [0.5 + 0.01 * n, 0.9]]]}
        for n in range(20)
    ]
    rings = [
        {"label": 0, "strokes": [[[0, 0], [1, 0], [1, 2 + n], [0, 2], [0, 0]]]} for n in (0, 1)
    ]
    (folder / "strokes.json.gz").write_bytes(gzip.compress(json.dumps(bars + rings).encode()))
    return folder


@pytest.fixture
def command(capsys):
    """Return a function that runs the command: exit code, stdout, stderr."""

    def call(*arguments):
        capsys.readouterr()
        code = evaluate.main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def test_json_is_all_there_is(command, place):
    """--json prints one object with exactly these keys, all shares in 0..1."""
    code, out, err = command(place / "net.npz", f"--data={place / 'data'}", "--json")
    assert (code, err) == (0, "")
    figures = json.loads(out)
    assert set(figures) == KEYS
    network, _ = load(place / "net.npz")
    mnist = load_mnist(place / "data")
    predicted = network.predict(to_network(mnist.test_images))
    assert figures["count"] == 200
    assert figures["accuracy"] == (predicted == mnist.test_labels).mean()
    assert figures["accuracy"] > 0.8
    for digit in range(10):
        of_digit = mnist.test_labels == digit
        share = (predicted[of_digit] == digit).mean()
        assert figures["per_class"][str(digit)] == pytest.approx(share)
        assert sum(figures["confusion"][digit]) == pytest.approx(1)
    assert 0 <= figures["calibration_error"] <= 1


def test_tables(command, place):
    """The table for people has a line for each digit."""
    code, out, _ = command(place / "net.npz", f"--data={place / 'data'}")
    assert code == 0
    assert "accuracy" in out
    assert "calibration error" in out
    assert [line.split()[0] for line in out.splitlines()[-10:]] == list("0123456789")


def test_strokes(command, place):
    """Drawings are judged by the same figures; digits that do not occur have none."""
    code, out, _ = command(place / "net.npz", f"--strokes={place / 'strokes.json.gz'}", "--json")
    assert code == 0
    figures = json.loads(out)
    assert set(figures) == KEYS
    assert figures["count"] == 22
    assert figures["per_class"]["7"] is None
    code, out, _ = command(place / "net.npz", f"--strokes={place / 'strokes.json.gz'}")
    assert code == 0
    assert "-" in out.splitlines()[-3]


def test_mistakes(command, place, tmp_path):
    """The worst mistakes become a PNG, also where there are none."""
    path = tmp_path / "worst.png"
    code, out, _ = command(place / "net.npz", f"--data={place / 'data'}", f"--mistakes={path}")
    assert code == 0
    assert str(path) in out
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width > 800
        assert len(np.unique(np.asarray(image))) > 2


def test_hostile_weights(command, tmp_path, place):
    """Weights that are none, cut, or of another network, are one line and exit 2."""
    good = (place / "net.npz").read_bytes()
    cases = {
        "text": b"hello",
        "empty": b"",
        "cut": good[: len(good) // 2],
        "flipped": good[:3000] + bytes(100) + good[3100:],
    }
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        code, out, err = command(path)
        assert (code, out) == (2, "")
        assert len(err.splitlines()) == 1
        assert err.startswith(f"pynet.evaluate: {path}: ")
    code, _, err = command(tmp_path / "missing")
    assert code == 2
    assert err == f"pynet.evaluate: {tmp_path / 'missing'}: No such file or directory\n"


def test_network_of_another_shape(command, tmp_path):
    """A network that does not map 28x28 images to ten digits is refused by name."""
    save(tmp_path / "a.npz", Sequential([Flatten(), Linear(784, 3)]), {})
    code, _, err = command(tmp_path / "a.npz")
    assert code == 2
    assert "expected 10 outputs, got shape (3,)" in err
    save(tmp_path / "b.npz", Sequential([Flatten(), Linear(100, 10)]), {})
    code, _, err = command(tmp_path / "b.npz")
    assert code == 2
    assert "not a network for 28x28 images" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data=/nowhere"], "/nowhere: no such folder"),
        (["--strokes=/nowhere"], "/nowhere: cannot be read"),
        (["--mistakes=/nowhere/x.png"], "/nowhere/x.png: No such file or directory"),
    ],
)
def test_errors_are_one_line(command, place, arguments, message):
    """What cannot be read or written is one line and exit 2, with nothing on stdout."""
    data = [] if arguments[0].startswith(("--data", "--strokes")) else [f"--data={place / 'data'}"]
    code, out, err = command(place / "net.npz", "--json", *arguments, *data)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert message in err


def test_old_preprocessing_is_mentioned(command, place, tmp_path):
    """Strokes through weights that were trained for other preprocessing bring a note."""
    save(tmp_path / "a.npz", build("mlp", rng=np.random.default_rng(0)), {"preprocessing": 0})
    code, out, err = command(tmp_path / "a.npz", f"--strokes={place / 'strokes.json.gz'}", "--json")
    assert code == 0
    assert "preprocessing 0" in err
    assert set(json.loads(out)) == KEYS


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("model", "least", "bytes_at_most"),
    [
        ("convnet", 0.996, 500_000),
        ("mlp", 0.992, 1_200_000),
        ("classic-relu", 0.97, 1_200_000),
        ("classic-sigmoid", 0.97, 1_200_000),
    ],
)
def test_shipped_weights(command, mnist_folder, repository, model, least, bytes_at_most):
    """Shipped weights reach on the real test set what they claim, and at least what they must."""
    path = repository / "weights" / f"{model}.npz"
    assert path.stat().st_size <= bytes_at_most
    code, out, _ = command(path, f"--data={mnist_folder}", "--json")
    figures = json.loads(out)
    _, metadata = load(path)
    assert code == 0
    assert figures["count"] == 10_000
    assert figures["accuracy"] >= least
    assert figures["accuracy"] == pytest.approx(metadata["accuracy"]["test"], abs=0.0002)


@pytest.mark.parametrize("model", list(RECIPES))
def test_shipped_weights_name_their_making(repository, model):
    """Shipped weights were made by the full recipe as it stands, from the published files."""
    _, metadata = load(repository / "weights" / f"{model}.npz")
    assert metadata["model"] == model
    assert Recipe(**metadata["recipe"]) == RECIPES[model]["full"]
    assert metadata["data"] == SHA256
    assert metadata["preprocessing"] == PREPROCESSING_VERSION
