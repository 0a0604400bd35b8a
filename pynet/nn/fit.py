"""Training itself: one step, and the loop over batches. No files, no printing, no clock."""

from dataclasses import dataclass

from pynet.nn import parallel


@dataclass(frozen=True)
class Progress:
    """What one batch did: steps so far, images in this batch, and its mean loss."""

    step: int
    images: int
    loss: float


def train_step(network, loss, optimizer, x, targets, *, threads=1):
    """Learn from one batch: forward, loss, backward, update.

    Parameters
    ----------
    network : Sequential
    loss : callable
        ``loss(outputs, targets) -> value, gradient``; see `pynet.nn.losses`.
    optimizer : Optimizer
        Over ``network.params``.
    x : (N, 28, 28, 1) float32 ndarray
    targets : (N,) integer ndarray
    threads : int
        How many parts of the batch to work on at once. It is part of the recipe: see
        `pynet.nn.parallel.gradients` for what depends on it.

    Returns
    -------
    float
        The loss before the update.
    """
    value = parallel.gradients(network, loss, x, targets, threads=threads)
    optimizer.step(network.grads, threads=threads)
    return value


def fit_epoch(network, loss, optimizer, schedule, batches, *, step=0, average=None, threads=1):
    """Learn from each of `batches` in turn.

    Parameters
    ----------
    network, loss, optimizer
        See `train_step`.
    schedule : callable
        From the number of steps done to the learning rate; see `pynet.nn.schedules`.
    batches : iterable of (x, targets)
    step : int
        Steps done before this epoch.
    average : ExponentialMovingAverage, optional
        Updated after each step, with parameters and buffers.
    threads : int
        See `train_step`.

    Yields
    ------
    Progress
        After each batch, so that the caller can show it, or stop.
    """
    for x, targets in batches:
        optimizer.learning_rate = schedule(step)
        value = train_step(network, loss, optimizer, x, targets, threads=threads)
        if average is not None:
            average.update({**network.params, **network.buffers})
        step += 1
        yield Progress(step, len(x), value)
