"""Images a second in training and inference: pynet, PyTorch and scikit-learn, side by side.

Prints one Markdown table, to be pasted into RESULTS.md. All sides run the same architecture on the
same random images, in turns within each round, so that a busy minute hits them all; ratios are
taken within a round. PyTorch runs in its default layout and in channels-last, and the faster one
counts. pynet runs in its two ways: the whole batch at once with BLAS on all cores, and the batch in
parts, each on one thread (``threads=N`` of `fit.train_step`). scikit-learn has no convolution and
takes part with the fully connected networks only.

    python tests/benchmarks/training.py [--models ...] [--batches ...] [--images N] [--rounds N]

Run it on an idle machine: where something else wants a core, PyTorch's threads wait for each other
and its figures fall by far more than its share. ``--threads 1`` is less sensitive.

Needs the packages torch, scikit-learn and threadpoolctl. A benchmark is no test: nothing here
asserts a time.
"""

import argparse
import functools
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from benchmarks import machine, sides

# Images in one turn of one side: about a second on two cores.
IMAGES = {"784-256-128-10": 20480, "mlp": 10240, "convnet": 1024}


def measure(made, images, targets, rounds):
    """Return for each side, training and inference: wall and CPU seconds of each round."""
    for side in made:  # once through a part of them, uncounted
        side.train(images[: max(512, len(images) // 8)], targets[: max(512, len(images) // 8)])
        side.infer(images[: sides.INFERENCE_BATCH])
    seconds = {(side.name, work): [] for side in made for work in ("train", "infer")}
    for turn in range(rounds):
        for work in ("train", "infer"):
            for side in made[turn % len(made) :] + made[: turn % len(made)]:
                run = functools.partial(side.train, images, targets)
                if work == "infer":
                    run = functools.partial(side.infer, images)
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                seconds[side.name, work].append(
                    (time.perf_counter() - wall, time.process_time() - cpu)
                )
    return seconds


def rows(model, batch, made, seconds, count):
    """Yield the lines of the table: PyTorch's better layout, marked, is the measure of all."""
    cells = {side.name: [] for side in made}
    for work in ("train", "infer"):
        walls = {side.name: [wall for wall, _ in seconds[side.name, work]] for side in made}
        best = min(
            (name for name in walls if name.startswith("PyTorch")),
            key=lambda name: statistics.median(walls[name]),
        )
        for name, times in walls.items():
            ratio = statistics.median(
                time / other for time, other in zip(times, walls[best], strict=True)
            )
            cpu = statistics.median(cpu for _, cpu in seconds[name, work]) / count * 1e6
            mark = "1 (measure)" if name == best else f"{ratio:.2f}"
            cells[name] += [f"{count / statistics.median(times):,.0f}", mark, f"{cpu:,.0f}"]
    for name, values in cells.items():
        yield f"| {model} | {batch} | {name} | " + " | ".join(values) + " |"


def main():
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=[*IMAGES], default=[*IMAGES])
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128, 512])
    parser.add_argument("--images", type=int, help="images in one turn; default: by model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    machine.need("torch", "sklearn")
    print("## Training and inference\n")
    print("\n".join(machine.describe(["numpy", "torch", "scikit-learn"])))
    others = machine.Others()
    print(
        f"- {arguments.threads} threads for each side (pynet with threads=1: all of them in BLAS); "
        f"medians of {arguments.rounds} rounds; "
        "ratio: time over PyTorch's better layout, less is faster; CPU: microseconds of all "
        f"threads for one image; PyTorch infers in batches of {sides.INFERENCE_BATCH}\n"
    )
    print(
        "| network | batch | side | training, images/s | ratio | CPU | inference, images/s "
        "| ratio | CPU |\n| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for model in arguments.models:
        count = arguments.images or IMAGES[model]
        rng = np.random.default_rng(1)
        images = rng.random((count, 28, 28, 1), np.float32)
        targets = rng.integers(0, 10, count)
        for batch in arguments.batches:
            network = functools.partial(sides.network, model)
            threads = arguments.threads
            made = [sides.Pynet(network(), batch, threads, parts=parts) for parts in {1, threads}]
            made.append(sides.Torch(network(), batch, threads))
            if model == "convnet":
                made.append(sides.Torch(network(), batch, threads, channels_last=True))
            else:
                made.append(sides.ScikitLearn(network(), batch, threads))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of scikit-learn, about convergence
                seconds = measure(made, images, targets, arguments.rounds)
            print("\n".join(rows(model, batch, made, seconds, count)), flush=True)
    print(f"\n{others.line()}")


if __name__ == "__main__":
    main()
