"""Sequential: layers one after the other, which is all that a feedforward network is."""

import copy
import math

import numpy as np

from pynet.nn import parallel
from pynet.nn.activations import Sigmoid, Softmax, softmax
from pynet.nn.layers import Layer
from pynet.nn.norm import BatchNorm


class Sequential(Layer):
    """Run layers in order; itself a layer.

    Parameters
    ----------
    layers : iterable of Layer
        At least one.

    Attributes
    ----------
    layers : tuple of Layer
    params, grads, buffers : dict of str to ndarray
        Those of all layers, the very arrays, under paths such as ``"0.weight"``.

    Examples
    --------
    >>> network = Sequential([Flatten(), Linear(784, 128), ReLU(), Linear(128, 10)])
    >>> network.predict(images)  # (N, 28, 28, 1) in [0, 1] -> (N,)
    """

    def __init__(self, layers):
        self.layers = tuple(layers)
        if not self.layers or not all(isinstance(layer, Layer) for layer in self.layers):
            raise ValueError(f"Sequential needs at least one Layer, got {self.layers!r}")

    @property
    def params(self):
        """What is trained and saved, by path."""
        return self._gather("params")

    @property
    def grads(self):
        """Gradients of the last backward pass, by path."""
        return self._gather("grads")

    @property
    def buffers(self):
        """What is saved but not trained, by path."""
        return self._gather("buffers")

    def _gather(self, kind):
        return {
            f"{index}.{name}": array
            for index, layer in enumerate(self.layers)
            for name, array in getattr(layer, kind).items()
        }

    def forward(self, x, *, training=False, cache=None):
        """Run x through all layers; see `Layer.forward`.

        Returns
        -------
        (N, K) ndarray
            The outputs of the last layer: logits, for most of the networks here.
        """
        if x.dtype.kind != "f":
            raise TypeError(f"x must be float32 or float64, got {x.dtype}: divide pixels by 255")
        for layer in self.layers:
            x = layer.forward(x, training=training, cache=cache)
        return x

    def backward(self, dy, *, input_gradient=True):
        """Run dLoss/dy back through all layers and set every gradient: the chain rule.

        Parameters
        ----------
        dy : (N, K) ndarray
            As a loss returns it.
        input_gradient : bool
            With False, stop at the first layer that has parameters and return None: all that
            training needs.
        """
        first = 0
        if not input_gradient:
            trained = (index for index, layer in enumerate(self.layers) if layer.params)
            first = next(trained, len(self.layers))
        for layer in self.layers[:first:-1]:
            dy = layer.backward(dy)
        if first == len(self.layers):
            return None
        if input_gradient:
            return self.layers[0].backward(dy)
        return self.layers[first].backward(dy, input_gradient=False)

    def replica(self):
        """Return a network with the same parameter arrays, and gradients and buffers of its own."""
        return Sequential(layer.replica() for layer in self.layers)

    def gather(self, replicas, shares):
        """Add up the gradients of `replicas`; see `Layer.gather`."""
        for layer, *twins in zip(self, *replicas, strict=True):
            layer.gather(twins, shares)

    def predict_proba(self, x, *, batch_size=256, threads=1):
        """Return the probability of every class.

        Parameters
        ----------
        x : (N, 28, 28, 1) float ndarray
            Or whatever shape the first layer takes.
        batch_size : int
            How many examples to run at once, which bounds the memory: 256 took 0.6 of the time of
            1000 with the convolutional network, whose signals then stay in cache.
        threads : int
            How many parts of x to work on at once.

        Returns
        -------
        (N, K) ndarray
            Rows that sum to 1.

        Notes
        -----
        Logits pass through softmax. A network that ends in Softmax is taken at its word. One that
        ends in Sigmoid was trained on squared errors, whose minimum is the probability itself,
        output by output (Richard and Lippmann 1991, "Neural network classifiers estimate Bayesian
        a posteriori probabilities"); its outputs are divided by their sum.
        """
        outputs = parallel.run_parts(
            lambda part: [
                self.forward(part[start : start + batch_size])
                for start in range(0, len(part), batch_size)
            ],
            x,
            threads,
        )
        outputs = [output for part in outputs for output in part]
        y = np.concatenate(outputs) if outputs else self.forward(x)
        if isinstance(self.layers[-1], Softmax):
            return y
        if isinstance(self.layers[-1], Sigmoid):
            return y / y.sum(axis=1, keepdims=True)
        return softmax(y)

    def predict(self, x, *, batch_size=256, threads=1):
        """Return the most probable class of each example: (N, ...) to (N,) int64."""
        return self.predict_proba(x, batch_size=batch_size, threads=threads).argmax(axis=1)

    def fold(self):
        """Return a new network of the same outputs at inference, with fewer layers.

        A batch norm at inference is ``a y + b`` for each channel (`BatchNorm1d.scale_and_shift`).
        Where y comes from a Linear or Conv2d, ``a (W x + c) + b = (a W) x + (a c + b)`` is one
        such layer, which takes the place of both. Every other layer is copied.

        References
        ----------
        Jacob et al. (2018), "Quantization and training of neural networks for efficient
        integer-arithmetic-only inference", eq. 14.
        """
        layers = []
        for layer in self.layers:
            if isinstance(layer, Sequential):
                layers.append(layer.fold())
            elif isinstance(layer, BatchNorm) and layers and hasattr(layers[-1], "scaled"):
                layers[-1] = layers[-1].scaled(*layer.scale_and_shift())
            else:
                layers.append(copy.deepcopy(layer))
        return Sequential(layers)

    def output_shape(self, input_shape):
        """Return the shape of the last layer's output for one example."""
        for layer in self.layers:
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def multiply_adds(self, input_shape):
        """Count the multiplications by weights of all layers for one example."""
        total = 0
        for layer in self.layers:
            total += layer.multiply_adds(input_shape)
            input_shape = layer.output_shape(input_shape)
        return total

    def config(self):
        """Return the configs of all layers, in order."""
        return [layer.config() for layer in self.layers]

    def astype(self, dtype):
        """Convert all parameters and buffers and return the network."""
        for layer in self.layers:
            layer.astype(dtype)
        return self

    def summary(self, input_shape=(28, 28, 1)):
        """Lay the network out as a table: layer, output shape, parameters, multiply-adds.

        Parameters
        ----------
        input_shape : tuple of int
            The shape of one example.

        Returns
        -------
        str
            Lines for a terminal, without a final newline.
        """
        rows = [("layer", "output shape", "parameters", "multiply-adds")]
        shape = input_shape
        for layer in self.layers:
            count = sum(param.size for param in layer.params.values())
            work = layer.multiply_adds(shape)
            shape = layer.output_shape(shape)
            rows.append((repr(layer), str(tuple(shape)), f"{count:,}", f"{work:,}"))
        count = sum(math.prod(param.shape) for param in self.params.values())
        total = ("total", "", f"{count:,}", f"{self.multiply_adds(input_shape):,}")
        widths = [max(len(row[column]) for row in (*rows, total)) for column in range(4)]
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
            for a, b, c, d in (*rows, total)
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def __len__(self):
        return len(self.layers)

    def __iter__(self):
        return iter(self.layers)

    def __getitem__(self, index):
        return self.layers[index]

    def __repr__(self):
        lines = "".join(f"\n    {index}: {layer!r}" for index, layer in enumerate(self.layers))
        return f"Sequential({lines}\n)"
