"""The sides of the training benchmarks: one network each in pynet, PyTorch and scikit-learn.

Each has a name, `train` (once through the images, with Adam) and `infer` (all probabilities).
A library is imported when its side is made, so that a process of one side holds no other.
"""

import sys

import numpy as np

try:
    from threadpoolctl import threadpool_limits
except ImportError:
    sys.exit("this benchmark needs threadpoolctl")

from pynet.nn import fit, models
from pynet.nn.activations import ReLU
from pynet.nn.layers import Flatten, Linear
from pynet.nn.losses import cross_entropy
from pynet.nn.network import Sequential
from pynet.nn.optim import Adam

LEARNING_RATE = 0.001
INFERENCE_BATCH = 1000


def perceptron(hidden):
    """Return a fully connected network for images with hidden layers of these widths."""
    rng = np.random.default_rng(0)
    widths = [784, *hidden]
    layers = [Flatten()]
    for width, following in zip(widths, hidden, strict=False):
        layers += [Linear(width, following, rng=rng), ReLU()]
    return Sequential([*layers, Linear(widths[-1], 10, rng=rng)])


def network(model):
    """Return one of pynet's models, or a perceptron such as "784-256-128-10"."""
    if model in models.MODELS:
        return models.build(model, rng=np.random.default_rng(0))
    return perceptron([int(width) for width in model.split("-")[1:-1]])


class Pynet:
    """The network of this project; the batch in `parts`, or whole with BLAS on all threads."""

    def __init__(self, network, batch, threads, *, parts):
        self.name = f"pynet, threads={parts}"
        self.blas = threads if parts == 1 else 1
        self.network = network
        self.optimizer = Adam(network.params, LEARNING_RATE)
        self.batch, self.parts = batch, parts

    def train(self, images, targets):
        """Go once through the images."""
        with threadpool_limits(self.blas, user_api="blas"):
            for start in range(0, len(images), self.batch):
                part = slice(start, start + self.batch)
                x, t = images[part], targets[part]
                fit.train_step(
                    self.network, cross_entropy, self.optimizer, x, t, threads=self.parts
                )

    def infer(self, images):
        """Return the probabilities of all images."""
        with threadpool_limits(self.blas, user_api="blas"):
            return self.network.predict_proba(images, threads=self.parts)


class Torch:
    """The same network in PyTorch, in its default layout or in channels-last."""

    def __init__(self, network, batch, threads, *, channels_last=False):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self.name = "PyTorch channels-last" if channels_last else "PyTorch"
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.batch = batch
        self.network = torch.nn.Sequential(*torch_layers(network))
        self.network.to(memory_format=self.layout)
        self.optimizer = torch.optim.Adam(self.network.parameters(), LEARNING_RATE)
        self.loss = torch.nn.CrossEntropyLoss()

    def tensor(self, images):
        """Return NHWC images as an NCHW tensor of this side's layout."""
        tensor = self.torch.from_numpy(images).permute(0, 3, 1, 2)
        return tensor.contiguous(memory_format=self.layout)

    def train(self, images, targets):
        """Go once through the images."""
        self.network.train()
        x, t = self.tensor(images), self.torch.from_numpy(targets)
        for start in range(0, len(x), self.batch):
            part = slice(start, start + self.batch)
            self.optimizer.zero_grad()
            self.loss(self.network(x[part]), t[part]).backward()
            self.optimizer.step()

    def infer(self, images):
        """Return the probabilities of all images."""
        self.network.eval()
        with self.torch.inference_mode():
            parts = self.tensor(images).split(INFERENCE_BATCH)
            return self.torch.cat([self.network(part).softmax(1) for part in parts])


def torch_layers(network):
    """Return the PyTorch twins of a network's layers, with first weights of their own."""
    from torch import nn

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
    return [make[type(layer).__name__](layer) for layer in network.layers]


class ScikitLearn:
    """The same network as scikit-learn's MLPClassifier; its threads are those of BLAS."""

    name = "scikit-learn"

    def __init__(self, network, batch, threads):
        from sklearn.neural_network import MLPClassifier

        linear = [layer for layer in network.layers if isinstance(layer, Linear)]
        self.classifier = MLPClassifier(
            [layer.out_features for layer in linear[:-1]],
            batch_size=batch,
            learning_rate_init=LEARNING_RATE,
            alpha=0.0,
            random_state=0,
        )
        self.threads = threads

    def train(self, images, targets):
        """Go once through the images."""
        with threadpool_limits(self.threads, user_api="blas"):
            x = images.reshape(len(images), -1)
            self.classifier.partial_fit(x, targets, classes=np.arange(10))

    def infer(self, images):
        """Return the probabilities of all images."""
        with threadpool_limits(self.threads, user_api="blas"):
            return self.classifier.predict_proba(images.reshape(len(images), -1))
