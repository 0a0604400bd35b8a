"""Judge a trained network: ``python -m pynet.evaluate WEIGHTS``.

Parses options and prints tables; the figures come from `pynet.workshop.metrics`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pynet.ink import PREPROCESSING_VERSION, strokes_to_images
from pynet.workshop import metrics
from pynet.workshop.batches import to_network
from pynet.workshop.commands import Parser, leave, limit_threads, note, run
from pynet.workshop.data import load_mnist
from pynet.workshop.networks import load_classifier, shipped
from pynet.workshop.pictures import contact_sheet
from pynet.workshop.readers import DataError
from pynet.workshop.strokes import load_strokes

NAME = "pynet.evaluate"
SHEET = 50  # mistakes on a contact sheet
CHUNK = 1000  # drawings rendered at once, to bound the memory


def parser() -> Parser:
    """Return the parser of the command line."""
    p = Parser(
        prog=f"python -m {NAME}",
        description="Judge a trained network on MNIST's test set or on recorded pen strokes.",
        epilog="--json prints one object: accuracy, count, per_class (digit to accuracy), "
        "calibration_error (expected, 15 bins) and confusion (row: the digit, column: what it was "
        "read as); all shares are fractions in 0..1.",
    )
    add = p.add_argument
    add(
        "weights",
        nargs="?",
        type=Path,
        metavar="WEIGHTS",
        help="weights file (default: the shipped convnet)",
    )
    add("--data", type=Path, metavar="DIR", help="folder with MNIST, as for pynet.train")
    add("--strokes", type=Path, metavar="FILE", help="judge on drawings in this JSON file instead")
    add("--json", action="store_true", help="print one JSON object and nothing else")
    add("--mistakes", type=Path, metavar="FILE.png", help=f"draw the {SHEET} worst mistakes")
    return p


def main(arguments=None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    return run(NAME, lambda: evaluate(options))


def evaluate(options) -> int:
    """Judge as the options say and return the exit code."""
    limit_threads()
    path = options.weights or shipped()
    network, metadata = load_classifier(path)
    version = metadata.get("preprocessing", PREPROCESSING_VERSION)
    if options.strokes and version != PREPROCESSING_VERSION:
        note(NAME, f"{path}: trained for preprocessing {version}, this is {PREPROCESSING_VERSION}")
    if options.strokes:
        images, labels = drawn_digits(options.strokes)
        probabilities = network.predict_proba(images[..., None])
    else:
        data = load_mnist(options.data)
        images, labels = data.test_images, data.test_labels
        probabilities = np.concatenate(
            [
                network.predict_proba(to_network(images[start : start + CHUNK]))
                for start in range(0, len(images), CHUNK)
            ]
        )
    if options.mistakes:
        draw_mistakes(images, labels, probabilities, options.mistakes)
    figures = metrics.judge(probabilities, labels)
    if options.json:
        print(json.dumps(figures))
        return 0
    source = options.strokes or "MNIST test set"
    print(f"{path} on {source}\n\n{report(figures, probabilities, labels)}")
    if options.mistakes:
        print(f"\nworst mistakes: {options.mistakes}")
    return 0


def drawn_digits(path):
    """Return the drawings of a stroke file as (N, 28, 28) float32 images, and their labels."""
    drawings = load_strokes(path)
    images = []
    for start in range(0, len(drawings), CHUNK):
        part = [drawing["strokes"] for drawing in drawings[start : start + CHUNK]]
        try:
            images.append(strokes_to_images(part))
        except ValueError as error:
            raise DataError(f"{path}: drawings {start}..{start + len(part)}: {error}") from error
    return np.concatenate(images), np.array([drawing["label"] for drawing in drawings])


def draw_mistakes(images, labels, probabilities, path):
    """Write the mistakes made with most confidence as a contact sheet."""
    worst = metrics.worst_mistakes(probabilities, labels, SHEET)
    captions = []
    for index in worst:
        guess = probabilities[index].argmax()
        captions.append(f"{labels[index]} as {guess} {probabilities[index, guess]:.0%}")
    contact_sheet(images[worst], captions, path)


def report(figures, probabilities, labels) -> str:
    """Lay the figures out for a terminal."""
    counts = metrics.confusion_counts(probabilities.argmax(axis=1), labels)
    right, total = int(np.trace(counts)), figures["count"]
    lines = [
        f"accuracy           {figures['accuracy']:.2%}  ({right:,} of {total:,} right)",
        f"calibration error  {figures['calibration_error']:.2%}  (expected, 15 bins)",
        "",
        "digit    count    right  accuracy  read as " + "".join(f"{d:>6}" for d in range(10)),
    ]
    for digit, row in enumerate(counts):
        share = figures["per_class"][str(digit)]
        accuracy = "-" if share is None else f"{share:.2%}"
        cells = "".join(f"{count or '.':>6}" for count in row)
        lines.append(f"{digit:>5}{row.sum():>9,}{row[digit]:>9,}{accuracy:>10}          {cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    leave(main())
