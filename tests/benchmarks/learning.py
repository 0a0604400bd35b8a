"""How long learning takes, what more work costs, and how much memory: pynet beside PyTorch.

Three tables. Seconds of training until the validation images (one in twelve of MNIST's training
images) are read right to 98, 99 and 99.5 %: both sides begin with the same weights and get the
same distorted batches, dealt by the same background thread, and follow the recipe ``quick`` of the
model without weight averaging (AdamW, one-cycle), so that they differ in arithmetic and speed
alone; the clock stops while they are validated. Then seconds for a thousand images, by the number
of images and by width. Last, the peak of resident memory of a process that trains and does no more.

    python tests/benchmarks/learning.py [accuracy] [work] [memory] [--models ...] [--epochs N]

Without arguments all three, the first with `mlp` alone, which takes a few minutes; ``accuracy
--models mlp convnet`` is the full one. Needs torch and threadpoolctl. A benchmark is no test.
"""

import argparse
import functools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from benchmarks import machine, sides
from benchmarks.sides import threadpool_limits

from pynet.nn import models
from pynet.nn.losses import cross_entropy
from pynet.nn.optim import AdamW
from pynet.nn.parallel import gradients
from pynet.nn.schedules import SCHEDULES
from pynet.workshop import batches, recipes
from pynet.workshop.data import load_mnist
from pynet.workshop.validation import split

GOALS = (0.98, 0.99, 0.995)
LOOKS = 5  # validations in an epoch
BATCH = 128
WIDTHS = (128, 256, 512, 1024)
COUNTS = (1280, 5120, 20480)
MEMORY_IMAGES = 2560


class PynetLearner:
    """The network of pynet, one step at a time, with BLAS on one thread as in `pynet.train`."""

    name = "pynet"

    def __init__(self, network, recipe, threads):
        self.network, self.parts = network, min(recipe.threads, threads)
        self.optimizer = AdamW(
            network.params, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay
        )

    def step(self, x, targets, learning_rate):
        """Learn from one batch."""
        with threadpool_limits(1, user_api="blas"):
            self.optimizer.learning_rate = learning_rate
            gradients(self.network, cross_entropy, x, targets, threads=self.parts)
            self.optimizer.step(self.network.grads, threads=self.parts)

    def predict(self, images):
        """Return the digits of all images."""
        return self.network.predict(images)


class TorchLearner:
    """The same network, with the same first weights, in PyTorch; convolutions channels-last."""

    name = "PyTorch"

    def __init__(self, network, recipe, threads):
        self.side = sides.Torch(network, BATCH, threads, channels_last=True)
        self.torch, twin = self.side.torch, self.side.network
        copy_weights(network, twin)
        weights = [p for p in twin.parameters() if p.ndim >= 2]
        others = [p for p in twin.parameters() if p.ndim < 2]
        self.optimizer = self.torch.optim.AdamW(
            [
                {"params": weights, "weight_decay": recipe.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ]
        )

    def step(self, x, targets, learning_rate):
        """Learn from one batch."""
        self.side.network.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.zero_grad()
        logits = self.side.network(self.side.tensor(x))
        self.side.loss(logits, self.torch.from_numpy(targets)).backward()
        self.optimizer.step()

    def predict(self, images):
        """Return the digits of all images."""
        return self.side.infer(images).argmax(1).numpy()


def copy_weights(network, twin):
    """Copy a network's weights into its PyTorch twin: filters to OIHW, pixels to CHW order."""
    import torch

    shape = image = (28, 28, 1)
    for layer, module in zip(network.layers, twin, strict=True):
        values = {name: array.copy() for name, array in layer.params.items()}
        if type(layer).__name__ == "Flatten":
            image = shape
        elif type(layer).__name__ == "Conv2d":
            values["weight"] = values["weight"].transpose(0, 3, 1, 2)
        elif type(layer).__name__ == "Linear" and image:
            pixels = values["weight"].reshape(-1, *image).transpose(0, 3, 1, 2)
            values["weight"], image = pixels.reshape(len(pixels), -1), None
        with torch.no_grad():
            for name, array in values.items():
                getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))
        shape = layer.output_shape(shape)


def learn(make, model, recipe, data):
    """Return the seconds of training at each look, and the accuracy there.

    It ends when the last goal is reached, or the recipe is.
    """
    network = models.build(model, rng=np.random.default_rng(0), dropout=recipe.dropout)
    learner = make(network, recipe, os.cpu_count())
    (images, labels), (held, truth) = split(data.train_images, data.train_labels, recipe.validation)
    held = batches.to_network(held)
    steps = math.ceil(len(images) / recipe.batch_size)
    schedule = SCHEDULES[recipe.schedule](recipe.learning_rate, total_steps=recipe.epochs * steps)
    looks = {round(steps * (k + 1) / LOOKS) for k in range(LOOKS)}
    seconds, found, step = 0.0, [], 0
    for epoch in range(recipe.epochs):
        dealt = batches.deal(
            images, labels, batch_size=recipe.batch_size, seed=0, epoch=epoch,
            augment=recipe.augmenter(epoch),
        )  # fmt: skip
        started = time.perf_counter()
        for number, (x, targets) in enumerate(dealt, 1):
            learner.step(x, targets, schedule(step))
            step += 1
            if number in looks:
                seconds += time.perf_counter() - started
                found.append((seconds, float((learner.predict(held) == truth).mean())))
                if found[-1][1] >= GOALS[-1]:
                    dealt.close()
                    return found
                started = time.perf_counter()
    return found


def accuracy_table(names, epochs):
    """Print the seconds until each goal."""
    data = load_mnist()
    print(f"### Seconds to an accuracy, {LOOKS} looks an epoch\n")
    goals = " | ".join(f"{goal:.1%}" for goal in GOALS)
    print(f"| network | side | {goals} | best | seconds of an epoch |")
    print("| --- | --- |" + " ---: |" * (len(GOALS) + 2))
    for model in names:
        recipe = replace(recipes.recipe_for(model, "quick"), average=0.0)
        recipe = replace(recipe, epochs=epochs or recipe.epochs)
        for make in (PynetLearner, TorchLearner):
            found = learn(make, model, recipe, data)
            cells = [
                next((f"{s:.1f}" for s, reached in found if reached >= goal), "not reached")
                for goal in GOALS
            ]
            cells.append(f"{max(reached for _, reached in found):.2%}")
            cells.append(f"{found[-1][0] / len(found) * LOOKS:.1f}")
            print(f"| {model} | {make.name} | {' | '.join(cells)} |", flush=True)


def work_table(rounds):
    """Print seconds for a thousand images, by their number and by the width of the network."""
    print("### Seconds of training for a thousand images, batches of 128\n")
    print("| network | images | pynet, threads=1 | pynet, threads=2 | PyTorch |")
    print("| --- | ---: | ---: | ---: | ---: |")
    cases = [(512, count) for count in COUNTS]
    cases += [(width, COUNTS[1]) for width in WIDTHS if width != 512]
    rng = np.random.default_rng(1)
    for width, count in cases:
        hidden = [width, width // 2]
        images = rng.random((count, 28, 28, 1), np.float32)
        targets = rng.integers(0, 10, count)
        threads = os.cpu_count()
        network = functools.partial(sides.perceptron, hidden)
        made = [
            sides.Pynet(network(), BATCH, threads, parts=1),
            sides.Pynet(network(), BATCH, 2, parts=2),
            sides.Torch(network(), BATCH, threads),
        ]
        times = {side.name: [] for side in made}
        for turn in range(rounds + 1):
            for side in made:
                started = time.perf_counter()
                side.train(images, targets)
                if turn:  # the first is to warm up
                    times[side.name].append(time.perf_counter() - started)
        cells = [f"{statistics.median(t) / count * 1000:.4f}" for t in times.values()]
        print(f"| 784-{width}-{width // 2}-10 | {count:,} | {' | '.join(cells)} |", flush=True)


def peak_memory():
    """Return the peak of this process's resident memory, in MB.

    Linux hands the peak of the process that started us down through getrusage; /proc does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def remember(side, model, batch):
    """Train once through some images and print the peak before and after, as JSON."""
    if side == "PyTorch":
        made = sides.Torch(sides.network(model), batch, os.cpu_count(), channels_last=True)
    else:
        made = sides.Pynet(sides.network(model), batch, os.cpu_count(), parts=os.cpu_count())
    rng = np.random.default_rng(1)
    images = rng.random((MEMORY_IMAGES, 28, 28, 1), np.float32)
    targets = rng.integers(0, 10, MEMORY_IMAGES)
    before = peak_memory()
    made.train(images, targets)
    print(json.dumps([before, peak_memory()]))


def memory_table():
    """Print the peak memory of each side, each in a process of its own."""
    print("### Peak of resident memory in training, MB\n")
    print("| network | batch | side | libraries and data | and training |")
    print("| --- | ---: | --- | ---: | ---: |")
    for model in ("mlp", "convnet"):
        for batch in (BATCH, 512):
            for side in ("pynet", "PyTorch"):
                command = [sys.executable, __file__, "--remember", side, model, str(batch)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                before, after = json.loads(done.stdout)
                print(f"| {model} | {batch} | {side} | {before:.0f} | {after:.0f} |", flush=True)


def main():
    """Measure what the arguments ask for and print it."""
    tables = ("accuracy", "work", "memory")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=", ".join(tables))
    parser.add_argument("--models", nargs="+", choices=("mlp", "convnet"), default=["mlp"])
    parser.add_argument("--epochs", type=int, help="for accuracy; default: the recipe's")
    parser.add_argument("--rounds", type=int, default=3, help="for work")
    parser.add_argument("--remember", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.remember:
        side, model, batch = arguments.remember
        return remember(side, model, int(batch))
    chosen = arguments.tables or tables
    if unknown := set(chosen) - set(tables):
        parser.error(f"tables must be some of {', '.join(tables)}, got {', '.join(unknown)}")
    machine.need("torch")
    print("## Learning\n")
    print("\n".join(machine.describe(["numpy", "torch"])), "\n", sep="")
    others = machine.Others()
    if "accuracy" in chosen:
        accuracy_table(arguments.models, arguments.epochs)
        print()
    if "work" in chosen:
        work_table(arguments.rounds)
        print()
    if "memory" in chosen:
        memory_table()
        print()
    print(others.line())


if __name__ == "__main__":
    main()
