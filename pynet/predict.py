"""Name the digit in image files: ``python -m pynet.predict IMAGE...``.

Parses options and prints; pictures become what the network reads in `pynet.ink`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pynet.ink import picture_to_image
from pynet.nn.certainty import Certainty
from pynet.workshop.commands import Parser, explain, leave, limit_threads, note, run
from pynet.workshop.networks import load_classifier, shipped
from pynet.workshop.pictures import read_picture
from pynet.workshop.readers import DataError

NAME = "pynet.predict"


def parser() -> Parser:
    """Return the parser of the command line."""
    p = Parser(
        prog=f"python -m {NAME}",
        description="Name the one digit in each image, dark on light or light on dark.",
        epilog="--json prints a list with one object for each image: image (its name), digit "
        "(0-9, or null where there is no ink), probabilities (ten, or null) and refused (whether "
        "it does not look like a digit; digit is then the best guess).",
    )
    add = p.add_argument
    add("images", nargs="+", metavar="IMAGE", help="image files of any common format; - for stdin")
    add("--weights", type=Path, metavar="FILE", help="weights file (default: the shipped convnet)")
    add("--json", action="store_true", help="print JSON and nothing else")
    return p


def main(arguments=None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    return run(NAME, lambda: predict(options))


def predict(options) -> int:
    """Name the digits as the options say and return the exit code."""
    limit_threads()
    network, metadata = load_classifier(options.weights or shipped())
    certainty = Certainty.of(metadata)
    answers = [answer_or_error(network, certainty, name) for name in options.images]
    failed = [entry for entry in answers if "error" in entry]
    if options.json:
        print(json.dumps(answers))
    else:
        for entry in answers:
            if entry not in failed:
                print(describe(entry))
    for entry in failed:
        note(NAME, entry["error"])
    return 2 if failed else 0


def answer_or_error(network, certainty, name: str) -> dict:
    """Return what `answer` does, or one line on what is wrong: one bad file spoils no other."""
    try:
        return answer(network, certainty, name)
    except (DataError, OSError) as error:
        problem = explain(error)
        return nothing(name) | {"error": problem}


def nothing(name: str) -> dict:
    """Return what is said of an image without ink."""
    return {"image": name, "digit": None, "probabilities": None, "refused": False}


def answer(network, certainty, name: str) -> dict:
    """Return what the network says of one image: image, digit, probabilities and refused."""
    if name == "-":
        name = "stdin"
        picture = read_picture(sys.stdin.buffer, name)
    else:
        with Path(name).open("rb") as file:
            picture = read_picture(file, name)
    try:
        image = picture_to_image(picture)
    except ValueError as error:
        raise DataError(f"{name}: {error}") from error
    if not image.any():
        return nothing(name)
    probabilities = certainty.calibrate(network.predict_proba(image[None, :, :, None]))
    return {
        "image": name,
        "digit": int(probabilities[0].argmax()),
        "probabilities": probabilities[0].tolist(),
        "refused": bool(certainty.refuses(probabilities)[0]),
    }


def describe(entry: dict) -> str:
    """Put one answer into a line: the digit, then every probability from one percent up."""
    if entry["digit"] is None:
        return f"{entry['image']}: no ink found"
    likely = sorted(enumerate(entry["probabilities"]), key=lambda pair: -pair[1])
    shown = "  ".join(f"{digit}: {share:.1%}" for digit, share in likely if share >= 0.01)
    if entry["refused"]:
        guess = f"best guess {entry['digit']}"
        return f"{entry['image']}: this does not look like a digit ({guess}; {shown})"
    return f"{entry['image']}: {entry['digit']}  ({shown})"


if __name__ == "__main__":
    leave(main())
