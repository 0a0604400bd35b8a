"""Optimisers: how far each parameter moves against its gradient.

Each takes the dictionary of parameters once, updates those arrays in place, and knows nothing of
layers. Each is written out in full, so that it can be read beside its paper. `learning_rate` may
be set between steps; `pynet.nn.schedules` says to what.

Weight decay applies to arrays of two or more axes: it is meant for weights, and biases and the
scales of normalisation do worse with it.
"""

import functools
import math

import numpy as np

from pynet.nn import checks, memory, parallel

# How many elements to update at once: few enough to deal out evenly to threads. Smaller pieces
# that stay in cache do not pay: 2**15 took 1.1 times as long for 535,000 parameters.
PIECE = 2**17


class Optimizer:
    """What optimisers share: the parameters, a learning rate, and state that can be saved.

    Parameters
    ----------
    params : dict of str to ndarray
        The arrays to update, in place.
    learning_rate : float
        Step size, at least 0; may be set at any time.
    weight_decay : float
        At least 0.
    """

    def __init__(self, params, learning_rate, weight_decay):
        self.params = dict(params)
        self.learning_rate = checks.number("learning_rate", learning_rate)
        self.weight_decay = checks.number("weight_decay", weight_decay)
        self.steps = 0
        self._state = {}
        self._pieces = None

    def _zeros(self, kind):
        """Make one array of zeros for each parameter, saved under `kind`."""
        arrays = {name: np.zeros_like(param) for name, param in self.params.items()}
        self._state[kind] = arrays
        return arrays

    def step(self, grads, *, threads=1):
        """Move every parameter once.

        Parameters
        ----------
        grads : dict of str to ndarray
            dLoss/dparam, with the keys and shapes of `params`; left as they are.
        threads : int
            How many threads share the work; the result does not depend on it.
        """
        self.steps += 1
        if self._pieces is None:
            self._pieces = list(self._cut())
        shares = _divide(self._pieces, threads)
        parallel.run([functools.partial(self._update_all, share, grads) for share in shares])

    def _cut(self):
        """Yield the pieces to update, which threads share.

        Each is a name, a place, its decay, and views of parameter and state there.
        """
        for name, param in self.params.items():
            arrays = [param, *(state[name] for state in self._state.values())]
            decay = self.weight_decay if param.ndim >= 2 else 0.0
            if all(array.flags.c_contiguous for array in arrays):
                arrays = [array.reshape(-1) for array in arrays]
                for start in range(0, param.size, PIECE):
                    place = slice(start, start + PIECE)
                    yield name, place, decay, [array[place] for array in arrays]
            else:
                yield name, None, decay, arrays

    def _update_all(self, pieces, grads):
        """Update each of `pieces`."""
        for name, place, decay, (param, *state) in pieces:
            gradient = grads[name]
            if place is not None:
                gradient = gradient.reshape(-1)[place]
            scratch = memory.scratch("step", param.shape, param.dtype)
            self._update(param, gradient, decay, scratch, *state)

    def _update(self, param, gradient, decay, scratch, *state):
        """Move `param` once, in place, and `state` with it; `scratch` is for what lies between."""
        raise TypeError(f"{type(self).__name__} has no step: a subclass defines it")

    def state_dict(self):
        """Return copies of all that a later run needs to go on: arrays, and the step count."""
        state = {"steps": np.array(self.steps)}
        for kind, arrays in self._state.items():
            for name, array in arrays.items():
                state[f"{kind}.{name}"] = array.copy()
        return state

    def load_state_dict(self, state):
        """Go on where the optimiser that made `state` stopped.

        Raises
        ------
        ValueError
            For an array that is missing or has another shape.
        """
        for kind, arrays in self._state.items():
            for name, array in arrays.items():
                key = f"{kind}.{name}"
                if key not in state or np.shape(state[key]) != array.shape:
                    got = np.shape(state[key]) if key in state else "nothing"
                    raise ValueError(f"state {key} must have shape {array.shape}, got {got}")
                array[...] = state[key]
        self.steps = int(state["steps"])

    def __repr__(self):
        count = sum(param.size for param in self.params.values())
        return f"{type(self).__name__}(learning_rate={self.learning_rate:g}, {count:,} parameters)"


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum: a heavy ball rolling downhill.

    ``v <- momentum v + g``; ``p <- p - learning_rate v``. With Nesterov's form the step is
    ``p <- p - learning_rate (g + momentum v)``. Weight decay adds ``weight_decay p`` to g.

    Parameters
    ----------
    params, learning_rate, weight_decay
        See `Optimizer`.
    momentum : float
        In [0, 1).
    nesterov : bool
        Look ahead along the velocity.

    References
    ----------
    Sutskever, Martens, Dahl, Hinton (2013), "On the importance of initialization and momentum in
    deep learning", eq. 1 to 4; in the form of PyTorch, where the learning rate multiplies v as
    it is used and not as it is gathered.
    """

    def __init__(self, params, learning_rate=0.1, momentum=0.0, nesterov=False, weight_decay=0.0):
        super().__init__(params, learning_rate, weight_decay)
        self.momentum = checks.number("momentum", momentum, high=1.0)
        if nesterov and not momentum:
            raise ValueError("nesterov needs momentum above 0, got 0")
        self.nesterov = bool(nesterov)
        if momentum:
            self._zeros("velocity")

    def _update(self, param, gradient, decay, update, velocity=None):
        np.multiply(param, decay, out=update)
        update += gradient
        if velocity is not None:
            velocity *= self.momentum
            velocity += update
            if self.nesterov:
                update *= self.learning_rate
                param -= update
                np.multiply(velocity, self.momentum, out=update)
            else:
                update[...] = velocity
        update *= self.learning_rate
        param -= update


class Adam(Optimizer):
    """Adam: steps scaled for each parameter by a running size of its gradient.

    ``m <- beta1 m + (1 - beta1) g``; ``v <- beta2 v + (1 - beta2) g^2``;
    ``p <- p - learning_rate m_hat / (sqrt(v_hat) + eps)``, with ``m_hat = m / (1 - beta1^t)`` and
    ``v_hat = v / (1 - beta2^t)``. Weight decay adds ``weight_decay p`` to g.

    Parameters
    ----------
    params, learning_rate, weight_decay
        See `Optimizer`.
    beta1, beta2 : float
        How much of the running means is kept in a step, in [0, 1).
    eps : float
        Added to the root; above 0.

    References
    ----------
    Kingma, Ba (2015), "Adam: a method for stochastic optimization", algorithm 1.
    """

    def __init__(
        self, params, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0
    ):
        super().__init__(params, learning_rate, weight_decay)
        self.beta1 = checks.number("beta1", beta1, high=1.0)
        self.beta2 = checks.number("beta2", beta2, high=1.0)
        self.eps = checks.number("eps", eps, open_low=True)
        self._zeros("mean")
        self._zeros("square")

    def _update(self, param, gradient, decay, scratch, mean, square):
        # Both corrections are folded into two numbers: multiplying numerator and denominator of
        # the step by root leaves eps * root beside sqrt(v).
        root = math.sqrt(1 - self.beta2**self.steps)
        size = self.learning_rate * root / (1 - self.beta1**self.steps)
        if decay:
            gradient = gradient + decay * param
        mean *= self.beta1
        np.multiply(gradient, 1 - self.beta1, out=scratch)
        mean += scratch
        square *= self.beta2
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - self.beta2
        square += scratch
        np.sqrt(square, out=scratch)
        scratch += self.eps * root
        np.divide(mean, scratch, out=scratch)
        scratch *= size
        param -= scratch


class AdamW(Optimizer):
    """Adam with decoupled weight decay: the weights shrink by themselves, not through g.

    As `Adam`, but before each step ``p <- p - learning_rate weight_decay p``.

    Parameters
    ----------
    params, learning_rate, beta1, beta2, eps
        See `Adam`.
    weight_decay : float
        At least 0.

    References
    ----------
    Loshchilov, Hutter (2019), "Decoupled weight decay regularization", algorithm 2; with the
    schedule's multiplier taken into the learning rate, as PyTorch does.
    """

    def __init__(
        self, params, learning_rate=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01
    ):
        super().__init__(params, learning_rate, weight_decay)
        self.beta1 = checks.number("beta1", beta1, high=1.0)
        self.beta2 = checks.number("beta2", beta2, high=1.0)
        self.eps = checks.number("eps", eps, open_low=True)
        self._zeros("mean")
        self._zeros("square")

    def _update(self, param, gradient, decay, scratch, mean, square):
        root = math.sqrt(1 - self.beta2**self.steps)
        size = self.learning_rate * root / (1 - self.beta1**self.steps)
        if decay:
            param *= 1 - self.learning_rate * decay
        mean *= self.beta1
        np.multiply(gradient, 1 - self.beta1, out=scratch)
        mean += scratch
        square *= self.beta2
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - self.beta2
        square += scratch
        np.sqrt(square, out=scratch)
        scratch += self.eps * root
        np.divide(mean, scratch, out=scratch)
        scratch *= size
        param -= scratch


def _divide(pieces, count):
    """Deal out `pieces`, in order, to `count` lists of about the same number of elements."""
    sizes = [arrays[0].size for *_, arrays in pieces]
    total, before, shares = sum(sizes), 0, [[] for _ in range(count)]
    for piece, size in zip(pieces, sizes, strict=True):
        shares[min(count - 1, before * count // max(1, total))].append(piece)
        before += size
    return shares


OPTIMIZERS = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
