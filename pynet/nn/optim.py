"""Optimisers: how far each parameter moves against its gradient.

Each takes the dictionary of parameters once, updates those arrays in place, and knows nothing of
layers. Each is written out in full, so that it can be read beside its paper. `learning_rate` may
be set between steps; `pynet.nn.schedules` says to what.

Weight decay applies to arrays of two or more axes: it is meant for weights, and biases and the
scales of normalisation do worse with it.
"""

import math

import numpy as np

from pynet.nn import checks


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
        # One kept array a parameter for intermediate results: a step allocates nothing.
        self._scratch = {name: np.empty_like(param) for name, param in self.params.items()}

    def _zeros(self, kind):
        """Make one array of zeros for each parameter, saved under `kind`."""
        arrays = {name: np.zeros_like(param) for name, param in self.params.items()}
        self._state[kind] = arrays
        return arrays

    def _decay(self, param):
        """Return the weight decay that applies to this array."""
        return self.weight_decay if param.ndim >= 2 else 0.0

    def step(self, grads):
        """Move every parameter once.

        Parameters
        ----------
        grads : dict of str to ndarray
            dLoss/dparam, with the keys and shapes of `params`; left as they are.
        """
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
        self._velocity = self._zeros("velocity") if momentum else {}

    def step(self, grads):
        """Move every parameter once; see `Optimizer.step`."""
        self.steps += 1
        for name, param in self.params.items():
            update = self._scratch[name]
            np.multiply(param, self._decay(param), out=update)
            update += grads[name]
            if self.momentum:
                velocity = self._velocity[name]
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
        self._mean = self._zeros("mean")
        self._square = self._zeros("square")

    def step(self, grads):
        """Move every parameter once; see `Optimizer.step`."""
        self.steps += 1
        # Both corrections are folded into two numbers: multiplying numerator and denominator of
        # the step by root leaves eps * root beside sqrt(v).
        root = math.sqrt(1 - self.beta2**self.steps)
        size = self.learning_rate * root / (1 - self.beta1**self.steps)
        for name, param in self.params.items():
            mean, square = self._mean[name], self._square[name]
            scratch, gradient = self._scratch[name], grads[name]
            decay = self._decay(param)
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
        self._mean = self._zeros("mean")
        self._square = self._zeros("square")

    def step(self, grads):
        """Move every parameter once; see `Optimizer.step`."""
        self.steps += 1
        root = math.sqrt(1 - self.beta2**self.steps)
        size = self.learning_rate * root / (1 - self.beta1**self.steps)
        for name, param in self.params.items():
            mean, square = self._mean[name], self._square[name]
            scratch, gradient = self._scratch[name], grads[name]
            decay = self._decay(param)
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


OPTIMIZERS = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
