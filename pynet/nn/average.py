"""A running average of the weights, which often does better than the weights of the last step."""

import numpy as np

from pynet.nn import checks


class ExponentialMovingAverage:
    """Average parameters over training: ``a <- d a + (1 - d) p``.

    Parameters
    ----------
    params : dict of str to ndarray
        The arrays to follow.
    decay : float
        How much of the average is kept in a step, in [0, 1).

    Attributes
    ----------
    average : dict of str to ndarray
        With the keys and shapes of `params`.

    Notes
    -----
    ``d = min(decay, (1 + t) / (10 + t))`` at step t, so that the first, random weights are soon
    forgotten.

    References
    ----------
    Polyak, Juditsky (1992), "Acceleration of stochastic approximation by averaging"; the
    exponential form and its warm-up as in TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, params, decay):
        self.decay = checks.number("decay", decay, high=1.0)
        self.steps = 0
        self.average = {name: param.copy() for name, param in params.items()}
        self._scratch = {name: np.empty_like(param) for name, param in params.items()}

    def update(self, params):
        """Take in the parameters as they are after one more step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, average in self.average.items():
            scratch = self._scratch[name]
            np.subtract(params[name], average, out=scratch)
            scratch *= 1 - decay
            average += scratch

    def state_dict(self):
        """Return copies of the averages and the step count."""
        return {
            "steps": np.array(self.steps),
            **{name: array.copy() for name, array in self.average.items()},
        }

    def load_state_dict(self, state):
        """Go on where the average that made `state` stopped; ValueError where it does not fit."""
        for name, array in self.average.items():
            if name not in state or np.shape(state[name]) != array.shape:
                got = np.shape(state[name]) if name in state else "nothing"
                raise ValueError(f"state {name} must have shape {array.shape}, got {got}")
            array[...] = state[name]
        self.steps = int(state["steps"])
