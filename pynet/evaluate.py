"""Judge a trained network: ``python -m pynet.evaluate WEIGHTS``.

Parses options and prints tables; the figures come from `pynet.workshop.metrics`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pynet.ink import PREPROCESSING_VERSION, scribbles, strokes_to_images
from pynet.nn.certainty import Certainty
from pynet.workshop import metrics
from pynet.workshop.batches import DRAW, generator, to_network
from pynet.workshop.commands import Parser, leave, limit_threads, note, run
from pynet.workshop.data import GENERATED, load_mnist
from pynet.workshop.drawn import Drawn
from pynet.workshop.networks import load_classifier, shipped
from pynet.workshop.pictures import contact_sheet, draw_ink
from pynet.workshop.readers import DataError
from pynet.workshop.strokes import load_strokes

NAME = "pynet.evaluate"
SHEET = 50  # mistakes on a contact sheet
ZOOM = 3  # pixels of the sheet for one of a digit
DRAWN = Drawn(digits=10_000)
NON_DIGITS = 10_000
CHUNK = 1000  # drawings rendered at once, to bound the memory


def parser() -> Parser:
    """Return the parser of the command line."""
    p = Parser(
        prog=f"python -m {NAME}",
        description="Judge a trained network on MNIST's test set or on recorded pen strokes.",
        epilog="--json prints one object: accuracy, count, per_class (digit to accuracy), "
        "calibration_error (expected, 15 bins), confusion (row: the digit, column: what it was "
        "read as), refused and refused_per_class; with --non-digits count, refused and per_kind. "
        "All shares are fractions in 0..1. Accuracy and confusion count the best guess where a "
        "digit was refused, too.",
    )
    add = p.add_argument
    add(
        "weights",
        nargs="?",
        type=Path,
        metavar="WEIGHTS",
        help="weights file (default: the shipped convnet)",
    )
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST, as for pynet.train; or the word generated: "
        f"{DRAWN.digits:,} digits drawn by this program",
    )
    other = p.add_mutually_exclusive_group().add_argument
    other(
        "--strokes", type=Path, metavar="FILE", help="judge on drawings in this JSON file instead"
    )
    other(
        "--non-digits",
        action="store_true",
        help=f"judge instead how many of {NON_DIGITS:,} drawn scribbles, letters and the like are "
        "refused",
    )
    add("--json", action="store_true", help="print one JSON object and nothing else")
    add(
        "--mistakes",
        type=Path,
        metavar="FILE.png",
        help=f"draw the {SHEET} worst mistakes, strokes as ink; with --non-digits what was taken "
        "for a digit",
    )
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
    certainty = Certainty.of(metadata)
    version = metadata.get("preprocessing", PREPROCESSING_VERSION)
    if options.strokes and version != PREPROCESSING_VERSION:
        note(NAME, f"{path}: trained for preprocessing {version}, this is {PREPROCESSING_VERSION}")
    if options.non_digits:
        return evaluate_non_digits(options, path, network, certainty)
    if options.strokes:
        drawings, labels = recorded(options.strokes)
        images = rasterise(drawings, options.strokes)
        source = options.strokes
    elif str(options.data) == GENERATED:
        images, labels = DRAWN.all(generator(1, DRAW))
        source = f"{len(labels):,} drawn digits"
    else:
        data = load_mnist(options.data)
        images, labels = data.test_images, data.test_labels
        source = "MNIST test set"
    probabilities = read(network, certainty, images)
    refused = certainty.refuses(probabilities)
    if options.mistakes:
        worst = metrics.worst_mistakes(probabilities, labels, SHEET)
        shown = [drawings[index] for index in worst] if options.strokes else images[worst]
        draw_mistakes(shown, probabilities[worst], options.mistakes, labels[worst])
    figures = metrics.judge(probabilities, labels, refused)
    if options.json:
        print(json.dumps(figures))
        return 0
    print(f"{path} on {source}\n\n{report(figures, probabilities, labels)}")
    if options.mistakes:
        print(f"\nworst mistakes: {options.mistakes}")
    return 0


def evaluate_non_digits(options, path, network, certainty) -> int:
    """Judge what the network makes of drawings that are no digit; return the exit code."""
    rng = generator(1, DRAW, epoch=1)
    kinds = scribbles.choose(NON_DIGITS, rng=rng)
    drawings = scribbles.draw(kinds, rng=rng)
    probabilities = read(network, certainty, strokes_to_images(drawings))
    refused, kinds = certainty.refuses(probabilities), np.array(kinds)
    shares = {kind: float(refused[kinds == kind].mean()) for kind in scribbles.KINDS}
    figures = {"count": len(kinds), "refused": float(refused.mean()), "per_kind": shares}
    if options.mistakes:
        taken = np.flatnonzero(~refused)
        worst = taken[np.argsort(-probabilities[taken].max(axis=1), kind="stable")[:SHEET]]
        draw_mistakes(
            [drawings[index] for index in worst], probabilities[worst], options.mistakes,
            kinds[worst],
        )  # fmt: skip
    if options.json:
        print(json.dumps(figures))
        return 0
    print(f"{path} on {len(kinds):,} drawings that are no digit\n")
    print(f"{'kind':<12}{'count':>8}{'refused':>10}")
    for kind, share in (shares | {"all": figures["refused"]}).items():
        count = len(kinds) if kind == "all" else np.sum(kinds == kind)
        print(f"{kind:<12}{count:>8,}{share:>10.2%}")
    return 0


def read(network, certainty, images):
    """Return the calibrated probabilities of (N, 28, 28) images: (N, 10)."""
    parts = [
        network.predict_proba(to_network(images[start : start + CHUNK]))
        for start in range(0, len(images), CHUNK)
    ]
    return certainty.calibrate(np.concatenate(parts))


def recorded(path):
    """Return the drawings of a stroke file, each a list of strokes, and their labels."""
    entries = load_strokes(path)
    labels = np.array([entry["label"] for entry in entries])
    return [entry["strokes"] for entry in entries], labels


def rasterise(drawings, path):
    """Return drawings as (N, 28, 28) float32 images."""
    images = []
    for start in range(0, len(drawings), CHUNK):
        part = drawings[start : start + CHUNK]
        try:
            images.append(strokes_to_images(part))
        except ValueError as error:
            raise DataError(f"{path}: drawings {start}..{start + len(part)}: {error}") from error
    return np.concatenate(images)


def draw_mistakes(shown, probabilities, path, names):
    """Write images, or drawings as ink, with what they are and what they were taken for."""
    tiles = [draw_ink(each, 28 * ZOOM) if isinstance(each, list) else each for each in shown]
    captions = [
        f"{name} as {row.argmax()} {row.max():.0%}"
        for name, row in zip(names, probabilities, strict=True)
    ]
    contact_sheet(tiles, captions, path, zoom=ZOOM)


def report(figures, probabilities, labels) -> str:
    """Lay the figures out for a terminal."""
    counts = metrics.confusion_counts(probabilities.argmax(axis=1), labels)
    right, total = int(np.trace(counts)), figures["count"]
    lines = [
        f"accuracy           {figures['accuracy']:.2%}  ({right:,} of {total:,} right)",
        f"calibration error  {figures['calibration_error']:.2%}  (expected, 15 bins)",
        f"refused            {figures['refused']:.2%}  (accuracy counts the best guess there)",
        "",
        "digit    count    right  accuracy   refused  read as "
        + "".join(f"{d:>6}" for d in range(10)),
    ]
    for digit, row in enumerate(counts):
        share, refused = figures["per_class"][str(digit)], figures["refused_per_class"][str(digit)]
        shares = "".join(f"{'-' if x is None else f'{x:.2%}':>10}" for x in (share, refused))
        cells = "".join(f"{count or '.':>6}" for count in row)
        lines.append(f"{digit:>5}{row.sum():>9,}{row[digit]:>9,}{shares}          {cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    leave(main())
