"""The architectures that pynet ships, by name, and the way from a description to a network."""

from pynet.nn import activations, conv, layers, norm, pooling
from pynet.nn.activations import ReLU, Sigmoid
from pynet.nn.conv import Conv2d
from pynet.nn.init import glorot_normal, he_normal
from pynet.nn.layers import Dropout, Flatten, Linear
from pynet.nn.network import Sequential
from pynet.nn.norm import BatchNorm1d, BatchNorm2d
from pynet.nn.pooling import MaxPool2d

PIXELS, CLASSES = 28 * 28, 10


def mlp(*, rng=None, dropout=0.0):
    """Build the best fully connected network: 784-512-256-10 with ReLU, for cross-entropy.

    Parameters
    ----------
    rng : numpy.random.Generator, optional
        For the first weights and for dropout.
    dropout : float
        The share of each hidden layer's outputs to drop in training, in [0, 1).
    """
    return Sequential(
        [
            Flatten(),
            Linear(PIXELS, 512, init=he_normal, rng=rng),
            ReLU(),
            *_dropout(dropout, rng),
            Linear(512, 256, init=he_normal, rng=rng),
            ReLU(),
            *_dropout(dropout, rng),
            Linear(256, CLASSES, init=he_normal, rng=rng),
        ]
    )


def classic_sigmoid(*, rng=None, dropout=0.0):
    """Build the textbook network of the 1980s: 784-128-10, sigmoids, for squared error."""
    return Sequential(
        [
            Flatten(),
            Linear(PIXELS, 128, init=glorot_normal, rng=rng),
            Sigmoid(),
            *_dropout(dropout, rng),
            Linear(128, CLASSES, init=glorot_normal, rng=rng),
            Sigmoid(),
        ]
    )


def classic_relu(*, rng=None, dropout=0.0):
    """Build the textbook network of the 2010s: 784-128-10, ReLU, logits for cross-entropy."""
    return Sequential(
        [
            Flatten(),
            Linear(PIXELS, 128, init=he_normal, rng=rng),
            ReLU(),
            *_dropout(dropout, rng),
            Linear(128, CLASSES, init=he_normal, rng=rng),
        ]
    )


def convnet(*, rng=None, dropout=0.0):
    """Build the convolutional network: five 3x3 convolutions and a hidden layer.

    7.7 million multiply-adds and 178,000 parameters. Pooling halves the image three times: 28,
    14, 7, 3 pixels, with 16, 40 and 72 filters before each. The largest image gets one
    convolution only, for there each costs most. Batch norm comes before each ReLU.

    Parameters
    ----------
    rng : numpy.random.Generator, optional
        For the first weights and for dropout.
    dropout : float
        The share of the hidden layer's outputs to drop in training, in [0, 1).

    References
    ----------
    Simonyan, Zisserman (2015), "Very deep convolutional networks for large-scale image
    recognition", for pairs of small filters.
    """
    return Sequential(
        [
            *_convolution(1, 16, rng),
            MaxPool2d(2),
            *_convolution(16, 40, rng),
            *_convolution(40, 40, rng),
            MaxPool2d(2),
            *_convolution(40, 72, rng),
            *_convolution(72, 72, rng),
            MaxPool2d(2),
            Flatten(),
            Linear(3 * 3 * 72, 128, bias=False, init=he_normal, rng=rng),
            BatchNorm1d(128),
            ReLU(),
            *_dropout(dropout, rng),
            Linear(128, CLASSES, init=he_normal, rng=rng),
        ]
    )


def _convolution(channels, filters, rng):
    """Return a 3x3 convolution that keeps the size, its batch norm and its ReLU."""
    convolution = Conv2d(channels, filters, 3, padding=1, bias=False, init=he_normal, rng=rng)
    return [convolution, BatchNorm2d(filters), ReLU()]


def _dropout(rate, rng):
    return [Dropout(rate, rng=rng)] if rate else []


MODELS = {
    "convnet": convnet,
    "mlp": mlp,
    "classic-sigmoid": classic_sigmoid,
    "classic-relu": classic_relu,
}

# The loss, by its name in pynet.nn.losses, that each network is made for.
LOSSES = {
    "convnet": "cross_entropy",
    "mlp": "cross_entropy",
    "classic-sigmoid": "mean_squared_error",
    "classic-relu": "cross_entropy",
}

# Every layer that a saved architecture may name.
LAYERS = {
    layer.__name__: layer
    for layer in (
        layers.Linear,
        layers.Flatten,
        layers.Dropout,
        conv.Conv2d,
        pooling.MaxPool2d,
        pooling.AvgPool2d,
        pooling.GlobalAvgPool2d,
        norm.BatchNorm1d,
        norm.BatchNorm2d,
        activations.ReLU,
        activations.LeakyReLU,
        activations.Sigmoid,
        activations.Tanh,
        activations.Softmax,
    )
}


def build(name, *, rng=None, dropout=0.0):
    """Build a network by its name.

    Parameters
    ----------
    name : str
        One of `MODELS`.
    rng : numpy.random.Generator, optional
        For the first weights and for dropout; default: new, unseeded ones.
    dropout : float
        The share of each hidden layer's outputs to drop in training, in [0, 1).

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        For a name that is not in `MODELS`.
    """
    if name not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)}, got {name!r}")
    return MODELS[name](rng=rng, dropout=dropout)


def from_config(config):
    """Build a network from what `Sequential.config` returned, with all weights zero.

    Raises
    ------
    ValueError
        For a layer that is not in `LAYERS`, or arguments that it does not take.
    """
    if not isinstance(config, list) or not config:
        raise ValueError("an architecture must be a list of at least one layer")
    built = []
    for index, entry in enumerate(config):
        kind = entry.get("type") if isinstance(entry, dict) else entry
        if not isinstance(kind, str) or not isinstance(entry, dict) or kind not in LAYERS:
            raise ValueError(f"layer {index} must be one of {', '.join(LAYERS)}, got {kind!r:.40}")
        layer = LAYERS[kind]
        arguments = {name: value for name, value in entry.items() if name != "type"}
        if set(arguments) - set(layer.hyperparameters):
            expected = ", ".join(layer.hyperparameters) or "no arguments"
            raise ValueError(f"layer {index}, {layer.__name__}, takes {expected}, got {arguments}")
        try:
            built.append(layer.blank(**arguments))
        except TypeError as error:
            raise ValueError(f"layer {index}, {layer.__name__}: {error}") from None
    return Sequential(built)
