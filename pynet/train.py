"""Train a network on MNIST: ``python -m pynet.train [MODEL]``.

Parses options, shows progress, prints the summary. What training is stands in `pynet.nn.fit` and
`pynet.workshop.training`.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from pynet.nn.models import MODELS
from pynet.nn.optim import OPTIMIZERS
from pynet.nn.schedules import SCHEDULES
from pynet.workshop import checkpoints, results, settings
from pynet.workshop.commands import INTERRUPTED, Parser, leave, limit_threads, note, run
from pynet.workshop.data import GENERATED, load_mnist, no_images
from pynet.workshop.interrupts import Interrupt
from pynet.workshop.progress import Progress, clock, tqdm
from pynet.workshop.recipes import AUGMENTATIONS
from pynet.workshop.training import Training

NAME = "pynet.train"


def parser() -> Parser:
    """Return the parser of the command line; what was not given is None."""
    p = Parser(
        prog=f"python -m {NAME}",
        description="Train a network on MNIST and write its weights.",
        epilog="It writes runs/MODEL.npz (weights), runs/MODEL.history.json (figures of each "
        "epoch) and runs/MODEL.checkpoints/. Ctrl-C keeps the best weights so far; --resume goes "
        "on from the last whole epoch. Try them: python -m pynet.evaluate runs/MODEL.npz",
    )
    add = p.add_argument
    add("model", nargs="?", metavar="MODEL", help=f"one of {', '.join(MODELS)} (default: mlp)")
    add(
        "--recipe",
        choices=("quick", "full"),
        help="quick: about a minute (default); full: exactly what made the shipped weights",
    )
    add("--out", type=Path, metavar="FILE", help="where the weights go (default: runs/MODEL.npz)")
    add(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with MNIST as IDX, mnist.npz or Kaggle's CSV (default: the folder named by "
        "PYNET_DATA, else a cache that is filled by a download); or the word generated, to train "
        "on drawn digits alone",
    )
    add(
        "--resume",
        action="store_true",
        help="go on from the newest checkpoint, with the options the run was begun with",
    )
    add("--plot", action="store_true", help="draw the curves into runs/MODEL.png")
    add(
        "--no-test",
        action="store_true",
        help="leave the test set alone, while you still choose between settings",
    )
    add("--seed", type=int, metavar="N", help="decides everything random (default: 0)")
    add = p.add_argument_group("instead of what the recipe says").add_argument
    add("--epochs", type=int, metavar="N", help="passes over the training images")
    add("--batch-size", type=int, metavar="N", help="images in one step")
    add("--threads", type=int, metavar="N", help="parts of each batch to work on at once")
    add("--optimizer", choices=tuple(OPTIMIZERS), help="how gradients move the weights")
    add("--learning-rate", type=float, metavar="X", help="the highest that the schedule reaches")
    add("--schedule", choices=tuple(SCHEDULES), help="how the learning rate changes")
    add("--warmup", type=float, metavar="SHARE", help="share of the steps to warm up in")
    add("--momentum", type=float, metavar="X", help="of sgd")
    add("--weight-decay", type=float, metavar="X", help="pull of the weights towards 0")
    add("--dropout", type=float, metavar="SHARE", help="share of hidden outputs to drop")
    add("--label-smoothing", type=float, metavar="SHARE", help="share spread over all classes")
    add("--generated", type=int, metavar="N", help="digits to draw anew for each epoch")
    add(
        "--non-digits",
        type=int,
        metavar="N",
        help="scribbles, letters and the like to draw anew for each epoch, to learn to refuse",
    )
    add(
        "--augment",
        metavar="KINDS",
        help=f"distort the images: none, or some of {','.join(AUGMENTATIONS)} with commas",
    )
    add(
        "--validation",
        type=float,
        metavar="SHARE",
        help="share of the training images to choose by; 0 for none",
    )
    add(
        "--patience",
        type=int,
        metavar="N",
        help="early stopping: give up after N epochs without better validation; 0 never does",
    )
    add(
        "--average",
        type=float,
        metavar="DECAY",
        help="exponential moving average of the weights, such as 0.999; 0 for none",
    )
    add(
        "--final-on-all",
        action=argparse.BooleanOptionalAction,
        help="at the end train anew on all training images, for as many epochs",
    )
    return p


def main(arguments=None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    return run(NAME, lambda: train(options))


def train(options) -> int:
    """Train as the options say and return the exit code."""
    started = time.perf_counter()
    places = results.Places.of(options.out, options.model or "mlp")
    if options.plot:
        from pynet.workshop import plots

        plots.require()  # better now than after an hour
    checkpoint = None
    if options.resume:
        *checkpoint, notices = checkpoints.load_newest(places.checkpoints)
        for notice in notices:
            note(NAME, notice)
        chosen = settings.from_checkpoint(checkpoint[1], options)
    else:
        chosen = settings.from_options(options)
    if not limit_threads() and chosen.recipe.threads > 1:
        note(NAME, "without threadpoolctl set OPENBLAS_NUM_THREADS=1: threads wait for each other")
    with Interrupt() as interrupt:
        data = no_images() if str(options.data) == GENERATED else load_mnist(options.data)
        places.check_writable()
        training = Training(chosen, data, folder=places.checkpoints)
        if checkpoint:
            training.restore(*checkpoint)
        else:
            if old := checkpoints.set_aside(places.checkpoints):
                note(NAME, f"an unfinished run was here; its checkpoints are kept in {old}")
            if old := places.set_aside():
                note(NAME, f"{places.weights} was here; it is kept as {old}")
        interrupt.guard(training)
        follow(training)
        if not training.finished:
            return interrupted(places, training, data)
        written = results.write(places, training, data, test=not options.no_test)
    if options.plot:
        plots.curves(training.history, places.plot)
    seconds = time.perf_counter() - started
    print(summary(places, training, data, written, seconds, options.plot))
    return 0


def follow(training: Training) -> None:
    """Run the training to its end, or to its stop, and show it."""
    if tqdm is None:
        note(NAME, "without tqdm there is one line an epoch instead of a live bar")
    # a loss beyond all bounds ends in a TrainingError, not in warnings
    with np.errstate(over="ignore", invalid="ignore"), Progress(training) as progress:
        for event in training.run():
            progress.show(event)


def interrupted(places, training, data) -> int:
    """Write the best weights so far and return the exit code of Ctrl-C."""
    epochs = len(training.history)
    if epochs == 0 and places.weights.exists():
        note(NAME, f"interrupted in the first epoch; {places.weights} stays as it was")
    elif training.best is None and not training.keep_current():
        note(NAME, "interrupted before the first step; nothing to keep")
    else:
        results.write(places, training, data, test=False)
        note(
            NAME,
            f"interrupted after {epochs} epochs; the best weights so far are in {places.weights}"
            + ("; go on with --resume" if epochs else ""),
        )
    return INTERRUPTED


def summary(places, training, data, written, seconds, plot) -> str:
    """Return what a reader wants to know at the end, on one screen."""
    accuracy, record, recipe = written["accuracy"], training.best_record, training.recipe
    certainty = written["certainty"]
    threshold = certainty["threshold"]
    drawn = f"{recipe.generated:,} digits and {recipe.non_digits:,} that are none, anew each epoch"
    rows = [
        (
            "model",
            f"{training.settings.model}, recipe {training.settings.recipe_name}, "
            f"seed {training.settings.seed}",
        ),
        (
            "data",
            f"{len(data.train_images):,} training and {len(data.test_images):,} test images "
            f"from {data.place}",
        ),
        (
            "trained",
            f"{len(training.history)} epochs in {clock(seconds)}; weights of epoch "
            f"{record['epoch']} on {training.trained_on():,} images",
        ),
        *([("drawn", drawn)] if len(recipe.drawn) else []),
        ("validation", percent(accuracy["validation"])),
        ("test", percent(accuracy["test"])),
        (
            "certainty",
            f"temperature {certainty['temperature']:.3f}, "
            + (f"refuses below {threshold:.2f} nats" if threshold else "refuses nothing"),
        ),
        (
            "weights",
            f"{places.weights} ({places.weights.stat().st_size:,} bytes, {written['dtype']})",
        ),
        ("history", str(places.history)),
        ("checkpoints", f"{places.checkpoints}/"),
    ]
    if plot:
        rows.append(("curves", str(places.plot)))
    rows.append(("next", f"python -m pynet.evaluate {places.weights}"))
    table = "\n".join(f"{name:<12}{value}" for name, value in rows)
    return f"{training.network.summary()}\n\n{table}"


def percent(share) -> str:
    """Write a share as a percentage, or say that there is none."""
    return "not measured" if share is None else f"{share:.2%} right"


if __name__ == "__main__":
    leave(main())
