"""The command line of training: what it writes, how it stops and goes on, what it refuses."""

import contextlib
import fcntl
import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from workshop.samples import write_idx

from pynet import load, train
from pynet.workshop import calibration
from pynet.workshop.batches import to_network
from pynet.workshop.data import load_mnist
from pynet.workshop.drawn import Drawn

ROOT = Path(__file__).resolve().parents[1]
# A short run with everything in it that has state: dropout, averages, distortion, two stages.
SHORT = (
    "--epochs=3", "--batch-size=32", "--dropout=0.2", "--average=0.9", "--augment=affine,elastic",
    "--final-on-all", "--seed=5",
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder with 600 training and 200 test images."""
    folder = tmp_path_factory.mktemp("data")
    write_idx(folder)
    return folder


@pytest.fixture
def command(data, tmp_path, monkeypatch, capsys):
    """Return a function that runs the command in tmp_path: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYNET_DATA", str(data))

    def call(*arguments):
        capsys.readouterr()
        try:
            code = train.main([str(argument) for argument in arguments])
        except SystemExit as exit:
            code = exit.code
        return code, *capsys.readouterr()

    return call


def start(folder, data, *arguments, **options):
    """Start the command as a process of its own in `folder`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYNET_DATA": str(data)}
    return subprocess.Popen(
        [sys.executable, "-m", "pynet.train", *map(str, arguments)],
        cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        **options,
    )  # fmt: skip


def one_line(text):
    """Return the one line that stderr consists of."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("pynet.train: ")
    return lines[0]


def test_default_run(command, tmp_path):
    """Without arguments mlp is trained; weights, history and checkpoints lie in runs/."""
    code, out, err = command("--epochs=2", "--seed=3")
    assert code == 0
    assert "Linear(in_features=784" in out
    assert "next" in out
    assert sum("validation" in line for line in err.splitlines()) == 2
    network, metadata = load(tmp_path / "runs/mlp.npz")
    assert metadata["model"] == "mlp"
    assert metadata["seed"] == 3
    assert metadata["recipe"]["epochs"] == 2
    assert metadata["classes"] == list("0123456789")
    assert set(metadata["data"]) == set("abcd")
    assert metadata["trained_on"] == 550
    history = json.loads((tmp_path / "runs/mlp.history.json").read_text())
    assert [record["epoch"] for record in history["epochs"]] == [1, 2]
    keys = ("loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds")
    assert all(isinstance(record[key], float) for record in history["epochs"] for key in keys)
    assert len(list((tmp_path / "runs/mlp.checkpoints").glob("epoch-*.npz"))) == 2
    assert network.predict(np.zeros((1, 28, 28, 1), np.float32)).shape == (1,)


def test_figures_are_those_of_the_file(command, tmp_path, data):
    """The accuracies in the weights file are what the file itself achieves."""
    command("mlp", "--epochs=10", "--batch-size=32", "--out=a.npz")
    network, metadata = load(tmp_path / "a.npz")
    mnist = load_mnist(data)
    right = (network.predict(to_network(mnist.test_images)) == mnist.test_labels).mean()
    assert metadata["accuracy"]["test"] == right
    assert right > 0.8
    assert metadata["accuracy"]["validation"] > 0.8


@pytest.mark.parametrize("model", ["classic-sigmoid", "classic-relu", "mlp"])
def test_same_seed_same_bytes(command, tmp_path, model):
    """The same seed gives the same bytes, another seed others."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert command(model, "--epochs=1", f"--seed={seed}", f"--out={name}.npz")[0] == 0
    first, second, other = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert first == second
    assert first != other


def test_drawn_digits(command, tmp_path, monkeypatch):
    """Drawn digits alone need no data; with what is none, the file can refuse, and says so."""
    monkeypatch.setattr(calibration, "DIGITS", Drawn(digits=300))
    arguments = ["classic-relu", "--epochs=2", "--generated=200", "--non-digits=100"]
    code, out, _ = command(*arguments, "--data=generated", "--out=a.npz")
    assert code == 0
    assert "200 digits and 100 that are none, anew each epoch" in out
    assert "from generated" in out
    assert re.search(r"temperature \d\.\d{3}, refuses ", out)
    _, metadata = load(tmp_path / "a.npz")
    assert metadata["data"] == {}
    assert metadata["trained_on"] == 0
    assert metadata["recipe"]["generated"] == 200
    assert metadata["recipe"]["non_digits"] == 100
    assert metadata["accuracy"]["test"] is None
    assert metadata["accuracy"]["validation"] > 0.1
    history = json.loads((tmp_path / "a.history.json").read_text())
    assert history["certainty"] == metadata["certainty"]
    before = (tmp_path / "a.npz").read_bytes()
    code, _, _ = command("--resume", "--data=generated", "--out=a.npz")
    assert code == 0
    assert (tmp_path / "a.npz").read_bytes() == before


def test_interrupt_and_resume(command, tmp_path, data):
    """After a real SIGINT the best weights are kept, and --resume ends as if nothing had been."""
    assert command("mlp", *SHORT, "--epochs=12", "--out=whole.npz")[0] == 0
    process = start(tmp_path, data, "mlp", *SHORT, "--epochs=12", "--out=cut.npz")
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("epoch 2/"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stderr.read()
    assert process.wait(timeout=60) == 130, (lines, rest)
    assert "best weights so far" in rest
    assert process.stdout.read() == ""
    _, metadata = load(tmp_path / "cut.npz")
    assert metadata["accuracy"]["test"] is None
    assert metadata["accuracy"]["validation"] is not None
    history = json.loads((tmp_path / "cut.history.json").read_text())["epochs"]
    assert 2 <= len(history) < 24
    process.stdout.close()
    process.stderr.close()

    assert command("--resume", "--out=cut.npz")[0] == 0
    assert (tmp_path / "cut.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    figures = []
    for name in ("cut", "whole"):
        records = json.loads((tmp_path / f"{name}.history.json").read_text())["epochs"]
        figures.append([{k: v for k, v in r.items() if k != "seconds"} for r in records])
    assert figures[0] == figures[1]


@pytest.mark.parametrize("older", [False, True])
def test_interrupt_in_the_first_epoch(tmp_path, data, older):
    """Ctrl-C before an epoch is over keeps what there is, but never in place of an older file."""
    if older:
        (tmp_path / "x.npz").write_bytes(b"older")
    process = start(tmp_path, data, "--batch-size=1", "--epochs=900", "--out=x.npz")
    folder = tmp_path / "x.checkpoints"
    while not folder.exists():
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "interrupted" in err
    if older:
        assert (tmp_path / "x.npz").read_bytes() == b"older"
    elif (tmp_path / "x.npz").exists():
        assert load(tmp_path / "x.npz")[1]["epochs"] == 0


def test_damaged_checkpoint(command, tmp_path):
    """A damaged newest checkpoint is named, and the one before serves."""
    command("mlp", *SHORT, "--out=whole.npz")
    command("mlp", *SHORT, "--out=cut.npz")
    newest = sorted((tmp_path / "cut.checkpoints").glob("*.npz"))[-1]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 255
    newest.write_bytes(data)
    code, _, err = command("--resume", "--out=cut.npz")
    assert code == 0
    assert f"{newest.relative_to(tmp_path)}: damaged" in err.splitlines()[0]
    assert (tmp_path / "cut.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()
    for path in (tmp_path / "cut.checkpoints").glob("*.npz"):
        path.write_bytes(b"PK\x03\x04 nothing")
    code, _, err = command("--resume", "--out=cut.npz")
    assert code == 2
    assert "every checkpoint is damaged" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classic-relu"], "begun with MODEL mlp, got classic-relu"),
        (["--epochs=9"], "begun with --epochs 3, got 9"),
        (["--seed=1"], "begun with --seed 5, got 1"),
        (["--recipe=full"], "begun with --recipe quick, got full"),
        (["--augment=none"], "begun with --augment otherwise"),
        (["--generated=7"], "begun with --generated 0, got 7"),
    ],
)
def test_resume_refuses_other_options(command, arguments, message):
    """A resumed run keeps its options; another value is refused, the same is not."""
    command("mlp", *SHORT, "--out=a.npz")
    code, _, err = command("--resume", "--out=a.npz", *arguments)
    assert code == 2
    assert message in one_line(err)
    assert command("--resume", "--out=a.npz", "mlp", "--epochs=3", "--seed=5")[0] == 0


def test_resume_refuses_other_data(command, tmp_path):
    """A run does not go on with other data."""
    command("mlp", *SHORT, "--out=a.npz")
    write_idx(tmp_path / "other", train=300)
    code, _, err = command("--resume", "--out=a.npz", f"--data={tmp_path / 'other'}")
    assert code == 2
    assert "other data files" in one_line(err)


def test_unfinished_run_is_set_aside(command, tmp_path, data):
    """Starting anew where an unfinished run was keeps its checkpoints."""
    process = start(tmp_path, data, "classic-relu", "--epochs=500", "--out=a.npz")
    next(process.stderr)
    process.kill()
    process.communicate()
    assert any((tmp_path / "a.checkpoints").iterdir())
    code, _, err = command("classic-relu", "--epochs=1", "--out=a.npz")
    assert code == 0
    assert "unfinished run" in err
    assert any((tmp_path / "a.checkpoints.previous").glob("epoch-*.npz"))
    before = (tmp_path / "a.npz").read_bytes()
    code, _, err = command("classic-relu", "--epochs=2", "--out=a.npz")
    assert "unfinished" not in err
    assert "a.npz was here; it is kept as" in err
    assert (tmp_path / "a.previous.npz").read_bytes() == before != (tmp_path / "a.npz").read_bytes()


def test_out_may_be_a_folder(command, tmp_path, data):
    """Files go into a folder that --out names, and the summary says where the data came from."""
    (tmp_path / "mine").mkdir()
    code, out, _ = command("classic-relu", "--epochs=1", "--out=mine")
    assert code == 0
    assert (tmp_path / "mine" / "classic-relu.npz").is_file()
    assert f"test images from {data}" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["convolution"], "model must be one of convnet"),
        (["--epochs=0"], "epochs must be at least 1, got 0"),
        (["--epochs=x"], "invalid int value"),
        (["--batch-size=-1"], "batch size must be at least 1"),
        (["--dropout=1"], r"dropout must be in \[0, 1\), got 1.0"),
        (["--learning-rate=nan"], "learning rate must be above 0, got nan"),
        (["--weight-decay=inf"], "weight decay must be at least 0, got inf"),
        (["--augment=affine,magic"], "none or some of affine,elastic,pen, got 'magic'"),
        (["--optimizer=sdg"], "invalid choice: 'sdg'"),
        (["--patience=3", "--validation=0"], "early stopping needs a validation share"),
        (["classic-sigmoid", "--label-smoothing=.1"], "label smoothing needs cross-entropy"),
        (["--threads=0"], "threads must be at least 1"),
        (["--generated=-1"], "generated must be at least 0, got -1"),
        (["--non-digits=-5"], "non digits must be at least 0, got -5"),
        (["--data=generated", "--generated=0"], "nothing to train on: give --generated"),
        (["--seed=-1"], "seed must be at least 0"),
        (["--data=/nowhere"], "/nowhere: no such folder"),
        (["--out=/proc/x/y.npz"], "/proc/x: No such file or directory"),
        (["--resume"], "no checkpoint to resume from"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["--learning-rate=1e30", "--optimizer=sgd", "--epochs=1"], "try a lower --learning-rate"),
    ],
)
def test_errors_are_one_line(command, tmp_path, arguments, message):
    """What cannot be done is said in one line, exit code 2, and no weights appear."""
    code, out, err = command(*arguments)
    assert code == 2
    assert out == ""
    assert re.search(message, one_line(err)), err
    assert not list(tmp_path.glob("runs/*.npz"))


def test_place_that_cannot_be_written(command, tmp_path):
    """A folder for a file, and a file for a folder, are found before training."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "mlp.npz").mkdir(parents=True)
    code, _, err = command("--out=file/a.npz")
    assert code == 2
    assert "file" in one_line(err)
    code, _, err = command("--out=folder")
    assert code == 2
    assert "mlp.npz: is a folder" in one_line(err)


def test_full_disk(tmp_path, data):
    """When the disk is full the old files stay whole and nothing half-written is left."""
    (tmp_path / "a.npz").write_bytes(b"older")

    def limit():  # a write past it fails like one on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    process = start(tmp_path, data, "classic-relu", "--epochs=1", "--out=a.npz", preexec_fn=limit)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert out == ""
    kept, error = err.splitlines()
    assert "kept as a.previous.npz" in kept
    assert "a.checkpoints/epoch-00001.npz: File too large" in error
    assert (tmp_path / "a.npz").read_bytes() == b"older"
    assert list((tmp_path / "a.checkpoints").iterdir()) == []


def test_early_stopping(command, tmp_path):
    """Training stops when validation has not got better for so many epochs."""
    arguments = [
        "classic-relu",
        "--epochs=60",
        "--patience=2",
        "--learning-rate=1e-9",
        "--out=a.npz",
    ]
    assert command(*arguments)[0] == 0
    records = json.loads((tmp_path / "a.history.json").read_text())["epochs"]
    assert 3 <= len(records) < 60


def test_test_set_is_left_alone(command, tmp_path):
    """--no-test writes no test figure."""
    _, out, _ = command("classic-relu", "--epochs=1", "--no-test", "--out=a.npz")
    assert load(tmp_path / "a.npz")[1]["accuracy"]["test"] is None
    assert "not measured" in out


def test_plot(command, tmp_path):
    """--plot writes the curves as PNG."""
    assert command("classic-relu", "--epochs=2", "--plot", "--out=a.npz")[0] == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def hide(folder, *modules):
    """Make a folder that, first on the path, makes modules look as if not installed."""
    folder.mkdir()
    for module in modules:
        (folder / f"{module}.py").write_text(f"raise ImportError('no {module}')\n")
    return folder


def test_numpy_alone(tmp_path, data):
    """Without any extra training works, and --plot says what to install."""
    extras = ("tqdm", "pooch", "PIL", "matplotlib", "threadpoolctl", "scipy", "joblib")
    hidden = hide(tmp_path / "hidden", *extras)
    for arguments, code, message in (
        (["--epochs=1", "classic-relu"], 0, "without tqdm"),
        (["--plot"], 2, "needs matplotlib, which is not installed; in the checkout: python -m pip"),
        (["--threads=2", "--epochs=1", "classic-relu"], 0, "without threadpoolctl"),
    ):
        run = subprocess.run(
            [sys.executable, "-m", "pynet.train", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env=os.environ | {"PYTHONPATH": f"{hidden}:{ROOT}", "PYNET_DATA": str(data)},
        )  # fmt: skip
        assert run.returncode == code, run.stderr
        assert message in run.stderr.splitlines()[0]


def test_live_bar(tmp_path, data):
    """In a terminal there is one live bar with epoch, loss, validation, speed and time left."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "pynet.train", "classic-relu", "--epochs=60"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=child, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYNET_DATA": str(data)},
    )  # fmt: skip
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end was closed
        while piece := os.read(parent, 4096):
            shown += piece
    os.close(parent)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, shown
    assert "next" in out
    frames = shown.decode().split("\r")
    pattern = r"epoch \d+/60  loss \d\.\d{4}  val \d+\.\d\d% .+ images/s, \d\d:\d\d left"
    assert any(re.match(pattern, frame) for frame in frames), frames[-5:]
    assert shown.count(b"\n") <= 2


def test_help_names_every_model(command):
    """--help fits the models and the way to go on."""
    code, out, _ = command("--help")
    assert code == 0
    assert "mlp, classic-sigmoid, classic-relu" in out
    assert "--resume" in out


@pytest.mark.mnist
@pytest.mark.slow
def test_quick_recipe_on_mnist(command, mnist_folder, tmp_path):
    """The quick recipe reaches 98.5 % on the real test set."""
    assert command(f"--data={mnist_folder}")[0] == 0
    assert load(tmp_path / "runs/mlp.npz")[1]["accuracy"]["test"] >= 0.985
