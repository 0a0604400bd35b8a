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
import datetime
import functools
import importlib.metadata
import os
import platform
import shlex
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

try:
    import torch
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits
except ImportError as error:
    sys.exit(f"this benchmark needs torch, scikit-learn and threadpoolctl: {error}")

from pynet.nn import fit, models
from pynet.nn.activations import ReLU
from pynet.nn.layers import Flatten, Linear
from pynet.nn.losses import cross_entropy
from pynet.nn.network import Sequential
from pynet.nn.optim import Adam

LEARNING_RATE = 0.001
HIDDEN = {"784-256-128-10": (256, 128), "mlp": (512, 256)}
# Images in one turn of one side: about a second on two cores.
IMAGES = {"784-256-128-10": 20480, "mlp": 10240, "convnet": 1024}
INFERENCE_BATCH = 1000


class Pynet:
    """The network of this project; the batch in `parts`, or whole with BLAS on all threads."""

    def __init__(self, model, batch, threads, *, parts):
        self.name = f"pynet, threads={parts}"
        self.blas = threads if parts == 1 else 1
        rng = np.random.default_rng(0)
        if model in models.MODELS:
            self.network = models.build(model, rng=rng)
        else:
            first, second = HIDDEN[model]
            self.network = Sequential(
                [
                    Flatten(),
                    Linear(784, first, rng=rng),
                    ReLU(),
                    Linear(first, second, rng=rng),
                    ReLU(),
                    Linear(second, 10, rng=rng),
                ]
            )
        self.optimizer = Adam(self.network.params, LEARNING_RATE)
        self.batch, self.parts = batch, parts

    def train(self, images, targets):
        """Go once through the images."""
        with threadpool_limits(self.blas, user_api="blas"):
            self._train(images, targets)

    def _train(self, images, targets):
        for start in range(0, len(images), self.batch):
            part = slice(start, start + self.batch)
            fit.train_step(
                self.network,
                cross_entropy,
                self.optimizer,
                images[part],
                targets[part],
                threads=self.parts,
            )

    def infer(self, images):
        """Return the probabilities of all images."""
        with threadpool_limits(self.blas, user_api="blas"):
            return self.network.predict_proba(images, threads=self.parts)


class Torch:
    """The same network in PyTorch, in its default layout or in channels-last."""

    def __init__(self, model, batch, threads, *, channels_last=False):
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.name = "PyTorch channels-last" if channels_last else "PyTorch"
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.batch = batch
        self.network = torch.nn.Sequential(*torch_layers(model))
        self.network.to(memory_format=self.layout)
        self.optimizer = torch.optim.Adam(self.network.parameters(), LEARNING_RATE)
        self.loss = torch.nn.CrossEntropyLoss()

    def tensor(self, images):
        """Return NHWC images as an NCHW tensor of this side's layout."""
        tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
        return tensor.contiguous(memory_format=self.layout)

    def train(self, images, targets):
        """Go once through the images."""
        self.network.train()
        x, t = self.tensor(images), torch.from_numpy(targets)
        for start in range(0, len(x), self.batch):
            part = slice(start, start + self.batch)
            self.optimizer.zero_grad()
            self.loss(self.network(x[part]), t[part]).backward()
            self.optimizer.step()

    def infer(self, images):
        """Return the probabilities of all images."""
        self.network.eval()
        x = self.tensor(images)
        with torch.inference_mode():
            return torch.cat([self.network(part).softmax(1) for part in x.split(INFERENCE_BATCH)])


def torch_layers(model):
    """Return the PyTorch twins of a model's layers."""
    nn = torch.nn
    if model != "convnet":
        first, second = HIDDEN[model]
        return [
            nn.Flatten(),
            nn.Linear(784, first),
            nn.ReLU(),
            nn.Linear(first, second),
            nn.ReLU(),
            nn.Linear(second, 10),
        ]
    make = {
        "Conv2d": lambda a: nn.Conv2d(
            a.in_channels, a.out_channels, a.kernel_size, a.stride, a.padding, bias=a.bias
        ),
        "BatchNorm2d": lambda a: nn.BatchNorm2d(a.num_features, a.eps, a.momentum),
        "BatchNorm1d": lambda a: nn.BatchNorm1d(a.num_features, a.eps, a.momentum),
        "ReLU": lambda a: nn.ReLU(),
        "MaxPool2d": lambda a: nn.MaxPool2d(a.kernel_size, a.stride),
        "AvgPool2d": lambda a: nn.AvgPool2d(a.kernel_size, a.stride),
        "Flatten": lambda a: nn.Flatten(),
        "Dropout": lambda a: nn.Dropout(a.rate),
        "Linear": lambda a: nn.Linear(a.in_features, a.out_features, bias=a.bias),
    }
    return [make[type(layer).__name__](layer) for layer in models.build(model)]


class ScikitLearn:
    """The same network as scikit-learn's MLPClassifier; its threads are those of BLAS."""

    name = "scikit-learn"

    def __init__(self, model, batch, threads):
        self.classifier = MLPClassifier(
            HIDDEN[model],
            batch_size=batch,
            learning_rate_init=LEARNING_RATE,
            alpha=0.0,
            random_state=0,
        )
        self.threads = threads

    def train(self, images, targets):
        """Go once through the images."""
        self.classifier.partial_fit(images.reshape(len(images), -1), targets, classes=np.arange(10))

    def infer(self, images):
        """Return the probabilities of all images."""
        with threadpool_limits(self.threads, user_api="blas"):
            return self.classifier.predict_proba(images.reshape(len(images), -1))


def measure(sides, images, targets, rounds):
    """Return for each side, training and inference: wall and CPU seconds of each round."""
    for side in sides:  # once through a part of them, uncounted
        side.train(images[: max(512, len(images) // 8)], targets[: max(512, len(images) // 8)])
        side.infer(images[:INFERENCE_BATCH])
    seconds = {(side.name, work): [] for side in sides for work in ("train", "infer")}
    for turn in range(rounds):
        for work in ("train", "infer"):
            for side in sides[turn % len(sides) :] + sides[: turn % len(sides)]:
                run = functools.partial(side.train, images, targets)
                if work == "infer":
                    run = functools.partial(side.infer, images)
                wall, cpu = time.perf_counter(), time.process_time()
                run()
                seconds[side.name, work].append(
                    (time.perf_counter() - wall, time.process_time() - cpu)
                )
    return seconds


def rows(model, batch, sides, seconds, count):
    """Yield the lines of the table: PyTorch's better layout, marked, is the measure of all."""
    cells = {side.name: [] for side in sides}
    for work in ("train", "infer"):
        walls = {side.name: [wall for wall, _ in seconds[side.name, work]] for side in sides}
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


def machine():
    """Return the lines that say where and when this was measured."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "torch", "scikit-learn")
    )
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return [
        f"- Machine: {cpu}, {os.cpu_count()} cores, {platform.system()}; load at the start {load}",
        f"- Date: {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        f"- Versions: Python {platform.python_version()}, {versions}",
        f"- Command: `python {shlex.join(sys.argv)}`",
    ]


def main():
    """Measure what the arguments ask for and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=[*IMAGES], default=[*IMAGES])
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128, 512])
    parser.add_argument("--images", type=int, help="images in one turn; default: by model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    print("## Training and inference\n")
    print("\n".join(machine()))
    print(
        f"- {arguments.threads} threads for each side (pynet with threads=1: all of them in BLAS); "
        f"medians of {arguments.rounds} rounds; "
        "ratio: time over PyTorch's better layout, less is faster; CPU: microseconds of all "
        f"threads for one image; PyTorch infers in batches of {INFERENCE_BATCH}\n"
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
            made = [
                Pynet(model, batch, arguments.threads, parts=parts)
                for parts in sorted({1, arguments.threads})
            ]
            made.append(Torch(model, batch, arguments.threads))
            if model == "convnet":
                made.append(Torch(model, batch, arguments.threads, channels_last=True))
            else:
                made.append(ScikitLearn(model, batch, arguments.threads))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of scikit-learn, about convergence
                seconds = measure(made, images, targets, arguments.rounds)
            print("\n".join(rows(model, batch, made, seconds, count)), flush=True)


if __name__ == "__main__":
    main()
