"""pynet: a feedforward neural network in numpy, readable, trained here and run in the browser.

Shapes are written with these letters: N examples in a batch, H rows and W columns of an image, C
channels, K classes. Images are (N, H, W, C) float32 in [0, 1], with 0 for paper and 1 for ink.
"""

from pynet.ink import picture_to_image, strokes_to_image
from pynet.nn.activations import LeakyReLU, ReLU, Sigmoid, Softmax, Tanh, softmax
from pynet.nn.average import ExponentialMovingAverage
from pynet.nn.conv import Conv2d
from pynet.nn.fit import Progress, fit_epoch, train_step
from pynet.nn.layers import Dropout, Flatten, Layer, Linear
from pynet.nn.losses import binary_cross_entropy, cross_entropy, mean_squared_error
from pynet.nn.models import build
from pynet.nn.network import Sequential
from pynet.nn.norm import BatchNorm1d, BatchNorm2d
from pynet.nn.optim import SGD, Adam, AdamW
from pynet.nn.pooling import AvgPool2d, GlobalAvgPool2d, MaxPool2d
from pynet.nn.schedules import Constant, Cosine, OneCycle, Step
from pynet.nn.weights import WeightsError, load, loads, save

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Constant",
    "Conv2d",
    "Cosine",
    "Dropout",
    "ExponentialMovingAverage",
    "Flatten",
    "GlobalAvgPool2d",
    "Layer",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "OneCycle",
    "Progress",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Step",
    "Tanh",
    "WeightsError",
    "binary_cross_entropy",
    "build",
    "cross_entropy",
    "fit_epoch",
    "load",
    "loads",
    "mean_squared_error",
    "picture_to_image",
    "save",
    "softmax",
    "strokes_to_image",
    "train_step",
]
