"""The command line of prediction: any image file, or one clear line."""

import io
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from workshop.samples import digits, write_idx

from pynet import load, predict, train
from pynet import save as save_network

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return weights that read the seven-segment digits of the samples."""
    folder = tmp_path_factory.mktemp("predict")
    write_idx(folder / "data", train=2000)
    arguments = "mlp --epochs=8 --batch-size=32 --augment=affine,pen --no-test"
    assert train.main([*arguments.split(), f"--out={folder}/net.npz", f"--data={folder}/data"]) == 0
    return folder / "net.npz"


@pytest.fixture
def command(weights, capsys):
    """Return a function that runs the command on these weights: exit code, stdout, stderr."""

    def call(*arguments):
        capsys.readouterr()
        code = predict.main([f"--weights={weights}", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def seven(mode="L", paper=255, ink=0, size=(280, 280)):
    """Return a picture of a seven, as the samples draw it."""
    image = Image.new(mode, size, paper)
    width, height = size
    corners = [(0.3, 0.15), (0.7, 0.15), (0.7, 0.85)]
    line = [(x * width, y * height) for x, y in corners]
    ImageDraw.Draw(image).line(line, fill=ink, width=round(0.08 * width), joint="curve")
    return image


def answer(command, path):
    """Return the only object that --json prints for a file."""
    code, out, err = command("--json", path)
    assert (code, err) == (0, "")
    (entry,) = json.loads(out)
    assert set(entry) == {"image", "digit", "probabilities", "refused"}
    assert entry["image"] == str(path)
    return entry


def save(image, path, **options):
    """Store an image and return its path."""
    image.save(path, **options)
    return path


def test_every_kind_of_picture(command, tmp_path):
    """Formats, modes, polarity, transparency and depth make no difference to the digit."""
    tall = seven(size=(300, 500))
    pictures = {
        "grey.png": seven(),
        "inverted.png": seven(paper=0, ink=255),
        "colour.jpg": seven("RGB", (250, 250, 240), (20, 20, 120)),
        "bits.tiff": seven("1", 1, 0),
        "palette.gif": seven("RGB", "white", "black").convert("P"),
        "transparent.png": seven("RGBA", (0, 0, 0, 0), (0, 0, 90, 255)),
        "greytransparent.png": seven("LA", (0, 0), (0, 255)),
        "print.jpeg": seven("CMYK", (0, 0, 0, 0), (0, 0, 0, 255)),
        "small.bmp": seven(size=(30, 30)),
        "tall.webp": tall,
        "large.png": seven(size=(3000, 3000)),
        "deep.png": Image.fromarray(np.asarray(seven()).astype(np.uint16) * 257),
    }
    read = {name: answer(command, save(image, tmp_path / name))["digit"]
            for name, image in pictures.items()}  # fmt: skip
    assert read == dict.fromkeys(pictures, 7)


def test_probabilities(command, tmp_path):
    """Ten probabilities sum to one, and the digit is the largest."""
    entry = answer(command, save(seven(), tmp_path / "x.png"))
    assert len(entry["probabilities"]) == 10
    assert sum(entry["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert np.argmax(entry["probabilities"]) == entry["digit"]


def test_exif_orientation(command, tmp_path):
    """A picture that a camera stored lying down is turned upright."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to view
    lying = seven().transpose(Image.Transpose.ROTATE_90)
    assert answer(command, save(lying, tmp_path / "x.jpg", exif=exif))["digit"] == 7


def test_several_images(command, tmp_path):
    """Many images give as many lines, or one list."""
    images, labels = digits(20, seed=9)
    paths = [save(Image.fromarray(image), tmp_path / f"{n}.png") for n, image in enumerate(images)]
    code, out, _ = command(*paths)
    assert code == 0
    read = [line.split(": ")[1].split()[0] for line in out.splitlines()]
    assert len(read) == 20
    assert sum(a == str(b) for a, b in zip(read, labels, strict=True)) >= 16
    code, out, _ = command("--json", *paths)
    assert [entry["image"] for entry in json.loads(out)] == [str(path) for path in paths]


def test_one_bad_image_spoils_no_other(command, tmp_path):
    """The good images are named, the bad one is one line on stderr, and the exit code is 2."""
    good, bad = save(seven(), tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_text("no picture")
    code, out, err = command(bad, good)
    assert code == 2
    assert out.startswith(f"{good}: 7 ")
    assert str(bad) in err
    assert err.count("\n") == 1
    code, out, _ = command("--json", bad, good)
    assert code == 2
    first, second = json.loads(out)
    assert first["digit"] is None
    assert str(bad) in first["error"]
    assert second["digit"] == 7


def test_blank_paper_has_no_digit(command, tmp_path):
    """Where there is no ink no digit is named."""
    path = save(Image.new("L", (50, 50), 255), tmp_path / "x.png")
    nothing = {"digit": None, "probabilities": None, "refused": False}
    assert answer(command, path) == nothing | {"image": str(path)}
    assert command(path)[1] == f"{path}: no ink found\n"


def test_refusal(weights, tmp_path, capsys):
    """Below the threshold it says that this is no digit, with the best guess."""
    network, metadata = load(weights)
    metadata["certainty"] = {"temperature": 1.0, "threshold": 99.0}
    save_network(tmp_path / "unsure.npz", network, metadata)
    path = save(seven(), tmp_path / "x.png")
    arguments = [str(path), "--weights", str(tmp_path / "unsure.npz")]
    assert predict.main(arguments) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"{path}: this does not look like a digit (best guess 7; 7: ")
    assert predict.main([*arguments, "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["refused"] is True
    assert entry["digit"] == 7


def test_stdin(weights):
    """- reads the image from standard input."""
    file = io.BytesIO()
    seven().save(file, "PNG")
    run = subprocess.run(
        [sys.executable, "-m", "pynet.predict", "-", "--json", f"--weights={weights}"],
        input=file.getvalue(), capture_output=True, cwd=ROOT, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    (entry,) = json.loads(run.stdout)
    assert entry["image"] == "stdin"
    assert entry["digit"] == 7


def png(width, height):
    """Return a PNG whose header promises this size and which holds next to nothing."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, part) for kind, part in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    )


def cut(image, share):
    """Return the first part of an image's PNG."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()[: int(len(file.getvalue()) * share)]


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99), dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image in a known format"),
        (b"hello", "not an image in a known format"),
        (png(12_000, 12_000), "more than 89,478,485 pixels"),
        (png(2**31 - 1, 2**31 - 1), "more than 89,478,485 pixels"),
        (png(100, 100), "truncated"),
        (cut(NOISE, 0.5), "truncated"),
        (cut(NOISE, 0.005), "."),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "."),
        (b"GIF89a" + bytes(3), "."),
    ],
)
def test_hostile_images(command, tmp_path, content, message):
    """What is no image, or a damaged or monstrous one, is one line and exit 2."""
    path = tmp_path / "x.png"
    path.write_bytes(content)
    code, out, err = command(path)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert err.startswith(f"pynet.predict: {path}: ")
    assert message in err


def test_float_images_with_nan(command, tmp_path):
    """A TIFF of floats, which might hold NaN, is refused."""
    path = save(Image.fromarray(np.full((30, 30), np.nan, np.float32)), tmp_path / "x.tiff")
    code, _, err = command(path)
    assert code == 2
    assert "floating-point images are not supported" in err


def test_missing_files(command, tmp_path):
    """An image or weights that are not there are named."""
    none = tmp_path / "none.npz"
    for arguments in ([none], [f"--weights={none}", "x.png"]):
        code, _, err = command(*arguments)
        assert (code, err) == (2, f"pynet.predict: {none}: No such file or directory\n")
    code, _, err = command(tmp_path)
    assert (code, err) == (2, f"pynet.predict: {tmp_path}: Is a directory\n")


def test_without_pillow(weights, tmp_path):
    """Without Pillow the command says how to install it."""
    (tmp_path / "PIL.py").write_text("raise ImportError('hidden')\n")
    run = subprocess.run(
        [sys.executable, "-m", "pynet.predict", "-", f"--weights={weights}"],
        input=b"", capture_output=True, timeout=60, check=False,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr.decode() == (
        "pynet.predict: reading images needs pillow, which is not installed; "
        "in the checkout: python -m pip install -e '.[train]'\n"
    )
