"""The documents: what they print, compute, link and show is so."""

import ast
import contextlib
import io
import math
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pynet.nn.models import MODELS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
GUIDE = DOCS / "how-it-works.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
FIGURE_BYTES = 150_000
# These need the trained networks and the history of their training.
LEARNED = ("first-layer.png", "training.svg", "filters.png")
# What each picture of learned weights is of.
PORTRAITS = {"first-layer.png": "classic-relu", "filters.png": "convnet"}
HAND = str.maketrans({"×": "*", "÷": "/", "−": "-"})
HAND_NAMES = {"exp": math.exp, "ln": math.log, "sqrt": math.sqrt}


@dataclass
class Block:
    """A fenced block or a table of a document; `line` is where it begins, from 1."""

    kind: str
    line: int
    text: str


def blocks(path):
    """Yield the fenced blocks, kind as the fence says, and the tables of a document."""
    lines = path.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        begin = number
        if lines[begin].startswith("```"):
            number = lines.index("```", begin + 1)
            body = "\n".join(lines[begin + 1 : number]) + "\n"
            yield Block(lines[begin][3:], begin + 1, body)
        elif lines[begin].startswith("|"):
            while number + 1 < len(lines) and lines[number + 1].startswith("|"):
                number += 1
            yield Block("table", begin + 1, "\n".join(lines[begin : number + 1]))
        number += 1


def rows(table):
    """Return the cells of each row of a table, without header and rule."""
    split = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return split[0], split[2:]


def half_unit(value):
    """Return half a unit of the last decimal place that a number was written with."""
    return 0.5 * 10.0 ** -len(value.partition(".")[2])


def by_hand(text):
    """Compute what a reader would with pencil and calculator."""
    expression = text.translate(HAND)
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    assert names <= set(HAND_NAMES), f"{text}: only {', '.join(HAND_NAMES)} are done by hand"
    return eval(expression, {"__builtins__": {}}, dict(HAND_NAMES))


def check_row(cells, namespace):
    """Return what is wrong with one row of a worked example, or None."""
    what, hand, code, value = cells
    exact = float(eval(code.strip("`"), namespace))
    margin = half_unit(value) + 1e-9
    if abs(exact - float(value)) > margin:
        return f"{what}: {code} is {exact}, the table says {value}"
    # Whoever works by hand goes on with rounded numbers.
    if abs(by_hand(hand) - float(value)) > 2 * margin:
        return f"{what}: {hand} is {by_hand(hand)}, the table says {value}"
    return None


def run(path):
    """Run a document as one session; return what is wrong, and how many rows were compared."""
    namespace, printed, wrong, compared = {}, None, [], 0
    for block in blocks(path):
        where = f"{path.name}:{block.line}"
        if block.kind == "python":
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(block.text, where, "exec"), namespace)
            printed = output.getvalue()
            continue
        if block.kind == "text":
            if printed != block.text:
                wrong.append(f"{where}: printed\n{printed}expected\n{block.text}")
            printed = ""
        elif block.kind == "table":
            header, body = rows(block.text)
            if header == ["what", "by hand", "code", "value"]:
                problems = [check_row(cells, namespace) for cells in body]
                wrong += [f"{where}: {problem}" for problem in problems if problem]
                compared += len(body)
    return wrong, compared


def test_guide_runs_as_written(monkeypatch):
    """Every block of the guide runs, prints what it says, and every worked number is right."""
    monkeypatch.chdir(ROOT)
    wrong, compared = run(GUIDE)
    assert not wrong, "\n".join(wrong)
    assert compared > 70


@pytest.mark.mnist
def test_readme_runs_as_written(monkeypatch, mnist_folder, capsys):
    """The README's examples train a network that reads MNIST, and read a 7 from a pen."""
    monkeypatch.setenv("PYNET_DATA", str(mnist_folder))
    monkeypatch.chdir(ROOT)
    namespace = {}
    for block in blocks(ROOT / "README.md"):
        if block.kind == "python":
            exec(compile(block.text, f"README.md:{block.line}", "exec"), namespace)
    accuracy, digit = capsys.readouterr().out.split()
    assert float(accuracy) == pytest.approx(0.94, abs=0.015)
    assert digit == "[7]"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("loss 0.6931 -> 0.2294\n", "loss 0.6931 -> 0.2295\n"),
        ("`loss` | 0.6931 |", "`loss` | 0.6932 |"),
        ("| −ln(0.5) |", "| −ln(0.51) |"),
    ],
)
def test_wrong_numbers_are_found(old, new, tmp_path, monkeypatch):
    """The check of the guide sees a wrong output, a wrong value, and a slip of the hand."""
    monkeypatch.chdir(ROOT)
    text = GUIDE.read_text(encoding="utf-8")
    assert text.count(old) == 1
    changed = tmp_path / "changed.md"
    changed.write_text(text.replace(old, new), encoding="utf-8")
    wrong, _ = run(changed)
    assert len(wrong) == 1


def test_every_printing_block_shows_its_output():
    """A block of Python that prints is followed by what it prints."""
    found = list(blocks(GUIDE))
    for block, following in zip(found, [*found[1:], None], strict=True):
        if block.kind == "python" and re.search(r"^\s*print\(", block.text, re.MULTILINE):
            assert following is not None, f"line {block.line}"
            assert following.kind == "text", f"line {block.line}"


def test_every_part_has_formula_picture_and_module():
    """Each numbered part of the guide holds a formula, a picture, and a link to its module."""
    text = GUIDE.read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    numbered = [part for part in parts if part[0].isdigit()]
    assert len(numbered) == 18
    for part in numbered:
        title = part.partition("\n")[0]
        assert re.search(r"^\$\$.+\$\$$", part, re.MULTILINE), f"{title}: no formula"
        assert re.search(r"!\[[^\]]{20,}\]\(images/", part), f"{title}: no described picture"
        assert re.search(r"\]\(\.\./(pynet|web)/[\w/]+\.py\)", part), f"{title}: no module"


def test_worked_example_is_the_one_of_the_figures(monkeypatch):
    """The guide and its figures show the same tiny network, input and target."""
    monkeypatch.syspath_prepend(str(DOCS))
    from drawings import example

    namespace = {}
    for block in blocks(GUIDE):
        if block.kind == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(block.text, namespace)
        if "target" in namespace:
            break
    drawn = example.network()
    assert namespace["network"].params.keys() == drawn.params.keys()
    for name, array in drawn.params.items():
        np.testing.assert_array_equal(namespace["network"].params[name], array)
    np.testing.assert_array_equal(namespace["x"], example.X)
    np.testing.assert_array_equal(namespace["target"], example.TARGET)


def test_worked_images_are_those_of_the_figures(monkeypatch):
    """The guide and its figures show the same tiny image, filter, map and signals."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(DOCS))
    from drawings import images

    namespace = {}
    for block in blocks(GUIDE):
        if block.kind == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(block.text, namespace)
        if "pair" in namespace:
            break
    np.testing.assert_array_equal(namespace["tiny"], images.TINY)
    np.testing.assert_array_equal(namespace["stroke"], images.STROKE)
    np.testing.assert_array_equal(namespace["found"][0, :, :, 0], images.convolved(padding=0))
    np.testing.assert_array_equal(namespace["padded"], images.convolved(padding=1))
    np.testing.assert_array_equal(namespace["maps"][0, :, :, 0], images.MAP)
    np.testing.assert_array_equal(namespace["signals"][:, 0], images.SIGNALS)


def test_card_names_every_network():
    """The model card describes each network that the models have, and says how to train it."""
    card = (DOCS / "model-card.md").read_text(encoding="utf-8")
    for name in MODELS:
        assert f"  - `{name}`: " in card
        assert f"python -m pynet.train {name} --recipe full" in card


def anchors(path):
    """Return the anchors that GitHub gives the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path):
    """Return the targets of all links and images of a document, outside code."""
    text = re.sub(r"```.*?```|`[^`\n]+`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path):
    """Every relative link and picture exists, and every anchor is a heading."""
    broken = []
    for target in links(path):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        other = path.parent / name if name else path
        if not other.exists() or (anchor and anchor not in anchors(other)):
            broken.append(target)
    assert not broken


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Draw every figure that needs no trained network, twice, as two strangers would."""
    folders = [tmp_path_factory.mktemp("figures") for _ in range(2)]
    source = (DOCS / "figures.py").read_text(encoding="utf-8")
    names = re.findall(r'^    "([\w-]+\.\w+)":', source, re.MULTILINE)
    names = [name for name in names if name not in LEARNED]
    for number, folder in enumerate(folders):
        command = [sys.executable, str(DOCS / "figures.py"), "--out", str(folder), *names]
        environment = {**os.environ, "PYTHONHASHSEED": str(number + 1)}
        subprocess.run(command, check=True, env=environment, cwd=folder)
    return folders


def test_figures_are_the_same_bytes_each_time(drawn):
    """Two runs of the script write the same files, byte for byte."""
    first, second = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in drawn)
    assert len(first) > 10
    assert first == second


def test_figures_are_shown_and_small(drawn):
    """Every figure is small and used in the guide, and the guide shows no other."""
    shown = {Path(target).name for target in links(GUIDE) if target.startswith("images/")}
    assert {path.name for path in drawn[0].iterdir()} | set(LEARNED) == shown
    for name in shown:
        assert (DOCS / "images" / name).stat().st_size < FIGURE_BYTES, name


def test_missing_weights_are_named(tmp_path):
    """Without trained networks the script says which it needs and how to make them; exit 2."""
    for folder in ("docs", "pynet"):
        ignore = shutil.ignore_patterns("images", "__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignore)
    command = [sys.executable, str(tmp_path / "docs/figures.py"), *LEARNED]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    for line, name in zip(lines, ("classic-relu", "classic-sigmoid", "convnet"), strict=True):
        assert f"weights/{name}.npz" in line
        assert f"python -m pynet.train {name} --recipe full" in line


def test_portraits_are_of_the_shipped_weights(tmp_path):
    """The pictures of learned weights are of those in weights/, not of an earlier training."""
    found = {name for name, of in PORTRAITS.items() if (ROOT / f"weights/{of}.npz").is_file()}
    assert "first-layer.png" in found
    command = [sys.executable, str(DOCS / "figures.py"), "--out", str(tmp_path), *sorted(found)]
    subprocess.run(command, check=True)
    for name in found:
        with Image.open(DOCS / "images" / name) as old, Image.open(tmp_path / name) as new:
            old, new = (np.asarray(image.convert("RGB"), np.float64) for image in (old, new))
        # Another version of matplotlib or Pillow may round a colour otherwise.
        assert old.shape == new.shape
        assert np.abs(old - new).mean() < 1, f"{name}: run docs/figures.py {name}"


@pytest.fixture
def measured(monkeypatch):
    """Return docs/measured.py as a module."""
    monkeypatch.syspath_prepend(str(DOCS))
    import measured

    return measured


def test_model_card_is_of_the_shipped_networks(measured):
    """The card's recipes, data, sizes and accuracies are those inside weights/*.npz."""
    card = (DOCS / "model-card.md").read_text(encoding="utf-8")
    found = measured.shipped()
    assert set(found) == {"convnet", "mlp", "classic-relu", "classic-sigmoid"}
    advice = "run docs/measured.py: the model card is not of these weights"
    assert measured.recipes_table(found) in card, advice
    assert measured.data_table(found) in card, advice
    for name, each in found.items():
        accuracy = each["metadata"]["accuracy"]
        size = f"{each['path'].stat().st_size:,}"
        validation, test = (measured.percent(accuracy[part]) for part in ("validation", "test"))
        assert f" {size} | {validation} | {test} |" in card, f"{name}: {advice}"


def test_every_measured_place_is_filled(measured):
    """No table is left to be measured, and none carries a name that the script does not know."""
    for document in measured.DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        assert text.count("<!-- measured: ") == len(measured.PLACE.findall(text))
        for _, name, _ in measured.PLACE.findall(text):
            assert name in measured.TABLES
        for body in re.findall(r"<!-- measured: .*?<!-- end -->", text, re.DOTALL):
            assert "Not measured yet" not in body, f"{document.name}: run docs/measured.py"
