"""The command line of evaluation: its figures, its JSON, its pictures, its errors."""

import gzip
import json

import numpy as np
import pytest
from PIL import Image
from workshop.samples import write_idx

from pynet import Flatten, Linear, Sequential, build, evaluate, load, save, train
from pynet.ink import PREPROCESSING_VERSION, scribbles
from pynet.workshop.batches import to_network
from pynet.workshop.data import load_mnist
from pynet.workshop.download import SHA256
from pynet.workshop.drawn import Drawn
from pynet.workshop.recipes import RECIPES, Recipe

KEYS = {
    *("accuracy", "count", "per_class", "calibration_error", "confusion"),
    *("refused", "refused_per_class"),
}


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


def test_mistakes_on_strokes_are_ink(command, place, tmp_path):
    """Drawings that were misread are shown as their strokes, with smooth edges."""
    drawings = [{"label": 3, "strokes": [[[0, 0], [100, 0]], [[50, 0], [50, 300]]]}] * 3
    (tmp_path / "strokes.json").write_text(json.dumps(drawings))
    path = tmp_path / "worst.png"
    strokes = f"--strokes={tmp_path / 'strokes.json'}"
    code, out, _ = command(place / "net.npz", strokes, f"--mistakes={path}", "--json")
    assert code == 0
    assert json.loads(out)["accuracy"] == 0
    with Image.open(path) as image:
        tile = np.asarray(image)[6:90, 6:90]
    assert tile[5:7, 40:44].max() < 50  # where the strokes cross, at the top
    assert tile[40:44, 40:44].min() < 50
    assert tile[40:44, 5:30].min() > 200  # paper beside the stem


def sure(network, place, threshold):
    """Store the network of `place` with a threshold and return the file."""
    _, metadata = load(place / "net.npz")
    metadata["certainty"] = {"temperature": 2.0, "threshold": float(threshold)}
    path = place / f"sure-{threshold}.npz"
    save(path, network, metadata)
    return path


def test_refused_is_counted_apart(command, place):
    """The threshold of the file refuses, and does not change what is right."""
    network, _ = load(place / "net.npz")
    data = f"--data={place / 'data'}"
    figures = [
        json.loads(command(sure(network, place, threshold), data, "--json")[1])
        for threshold in (0, 4, 6)
    ]
    assert figures[0]["refused"] == 0
    assert figures[0]["refused"] < figures[1]["refused"] < figures[2]["refused"] <= 1
    assert len({each["accuracy"] for each in figures}) == 1
    shares = [share for share in figures[1]["refused_per_class"].values() if share is not None]
    assert min(shares) <= figures[1]["refused"] <= max(shares)
    mnist = load_mnist(place / "data")
    logits = np.log(network.predict_proba(to_network(mnist.test_images)).astype(np.float64))
    halved = np.exp(logits / 2) / np.exp(logits / 2).sum(axis=1, keepdims=True)
    far = -np.log(10) - np.log(halved).mean(axis=1)
    assert figures[1]["refused"] == pytest.approx((far < 4).mean(), abs=0.01)


def test_non_digits(command, place, tmp_path, monkeypatch):
    """What is no digit is judged by kind, and what was taken for one is drawn."""
    monkeypatch.setattr(evaluate, "NON_DIGITS", 300)
    network, _ = load(place / "net.npz")
    path = sure(network, place, 4)
    code, out, _ = command(path, "--non-digits", "--json", f"--mistakes={tmp_path / 'x.png'}")
    assert code == 0
    figures = json.loads(out)
    assert set(figures) == {"count", "refused", "per_kind"}
    assert figures["count"] == 300
    assert set(figures["per_kind"]) == set(scribbles.KINDS)
    assert 0 < figures["refused"] < 1
    assert (tmp_path / "x.png").is_file()
    code, out, _ = command(path, "--non-digits")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[3:]] == [*scribbles.KINDS, "all"]
    assert json.loads(command(place / "net.npz", "--non-digits", "--json")[1])["refused"] == 0


def test_drawn_digits(command, place, monkeypatch):
    """The word generated in place of a folder judges on digits that are drawn, always the same."""
    monkeypatch.setattr(evaluate, "DRAWN", Drawn(digits=200))
    first, second = (command(place / "net.npz", "--data=generated", "--json") for _ in range(2))
    assert first == second
    assert json.loads(first[1])["count"] == 200
    assert "200 drawn digits" in command(place / "net.npz", "--data=generated")[1]


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
        ("convnet", 0.9965, 500_000),
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


@pytest.mark.mnist
def test_shipped_convnet_refuses(command, mnist_folder):
    """It refuses nine of ten scribbles and letters, and at most one digit of a hundred."""
    kinds = json.loads(command("--non-digits", "--json")[1])["per_kind"]
    assert kinds["scribbles"] >= 0.9
    assert kinds["letters"] >= 0.9
    digits = json.loads(command(f"--data={mnist_folder}", "--json")[1])
    assert digits["refused"] <= 0.01
    assert digits["calibration_error"] <= 0.01
