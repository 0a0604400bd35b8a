"""The worked example of the documents: two inputs, two hidden units, two classes.

The numbers are chosen so that every step can be done by hand: both classes come out level, and so
softmax needs no exponential.
"""

import numpy as np

from pynet import Linear, ReLU, Sequential, cross_entropy, softmax

X, TARGET = np.array([[1.0, 0.5]]), np.array([0])


def network():
    """Build it, in float64 as on paper."""
    built = Sequential([Linear(2, 2), ReLU(), Linear(2, 2)]).astype(np.float64)
    built.params["0.weight"][...] = [[1.0, -1.0], [-0.5, 2.0]]
    built.params["0.bias"][...] = [0.5, 0.0]
    built.params["2.weight"][...] = [[1.0, 2.0], [2.0, -1.0]]
    built.params["2.bias"][...] = [0.0, 0.5]
    return built


def worked():
    """Run it forward and backward once, layer by layer.

    Returns
    -------
    dict of str to ndarray or float
        x, z, h, s (the scores), p, loss; weights, and gradients under ``d`` and the same name.
    """
    first, relu, second = built = network()
    z = first.forward(X, cache=True)
    h = relu.forward(z, cache=True)
    s = second.forward(h, cache=True)
    loss, ds = cross_entropy(s, TARGET)
    dh = second.backward(ds)
    dz = relu.backward(dh)
    dx = first.backward(dz)
    values = {"x": X, "z": z, "h": h, "s": s, "p": softmax(s), "ds": ds, "dh": dh, "dz": dz}
    values = {name: array[0] for name, array in (values | {"dx": dx}).items()}
    for name, array in built.params.items():
        values[name] = array
        values[f"d{name}"] = built.grads[name]
    return values | {"loss": loss}
