"""Draw the pictures of the documents: ``python docs/figures.py [NAME ...]``.

Every number in them comes from `pynet` itself, and the same input gives the same bytes. What each
picture shows is in `drawings/`; three of them need the trained networks in weights/ and the history
of their training, and say so where these are missing. matplotlib comes with the extra `train`.
"""

import argparse
import sys
from pathlib import Path

from drawings import (
    MissingInputError,
    certainty,
    diagrams,
    experiments,
    functions,
    glyphs,
    images,
    ink,
    learned,
)

IMAGES = Path(__file__).resolve().parent / "images"

FIGURES = {
    "neuron.svg": diagrams.neuron,
    "layer.svg": diagrams.layer,
    "activations.svg": functions.activations,
    "forward.svg": diagrams.forward,
    "softmax.svg": functions.softmax_bars,
    "cross-entropy.svg": functions.cross_entropy_curves,
    "backpropagation.svg": diagrams.backpropagation,
    "gradient-descent.svg": experiments.descent,
    "schedules.svg": functions.schedule_curves,
    "initialisation.svg": experiments.initialisation,
    "overfitting.svg": experiments.overfitting,
    "convolution.svg": images.convolution,
    "pooling.svg": images.pooling,
    "batch-norm.svg": images.batch_norm,
    "convnet.svg": images.convnet,
    "strokes.png": ink.strokes_to_pixels,
    "glyphs.png": glyphs.contact_sheet,
    "temperature.svg": certainty.temperatures,
    "no-digits.png": certainty.no_digits,
    "page.svg": diagrams.page,
    "first-layer.png": learned.first_layer,
    "training.svg": learned.training_curves,
    "filters.png": learned.filters,
}


def main(arguments=None):
    """Draw the figures that were asked for and return the exit code."""
    parser = argparse.ArgumentParser(prog="docs/figures.py", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as neuron.svg; default: all")
    parser.add_argument("--out", type=Path, default=IMAGES, help="folder (default: docs/images)")
    parser.add_argument("--runs", type=Path, help="where the training left its history (runs/)")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in FIGURES:
            parser.error(f"NAME must be one of {', '.join(FIGURES)}, got {name!r}")
    options.out.mkdir(parents=True, exist_ok=True)
    missing = 0
    for name in options.names or FIGURES:
        try:
            inputs = {"runs": options.runs} if name == "training.svg" and options.runs else {}
            FIGURES[name](options.out / name, **inputs)
        except MissingInputError as error:
            print(f"docs/figures.py: {name}: {error}", file=sys.stderr)
            missing += 1
    return 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
