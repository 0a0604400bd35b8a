"""Data parallelism: several threads, each with a part of the batch and a network of its own.

numpy lets go of Python's lock inside matrix products and elementwise loops, so that threads do run
at once. Each takes a fixed part of the batch and what they find is added up in a fixed order: the
result depends on how many parts there are, never on which thread was faster.

Two threads that each ask a BLAS library for two more are slower than either. Whoever asks for
threads here holds BLAS to one: `pynet.train` does; elsewhere use
``threadpoolctl.threadpool_limits(1)``, or set OPENBLAS_NUM_THREADS=1 before numpy is imported.
"""

import functools
import itertools


def gradients(network, loss, x, targets, *, threads=1):
    """Run one batch forward and back, each thread its part, and set the network's gradients.

    Parameters
    ----------
    network, loss, x, targets
        See `pynet.nn.fit.train_step`.
    threads : int
        How many parts to make, of at least two examples.

    Returns
    -------
    float
        The mean loss over the batch.

    Notes
    -----
    The gradients are those of the whole batch, but for two layers. Batch norm uses the statistics
    of each part by itself ("ghost batch norm"), and its running statistics move by the mean over
    the parts. Dropout draws the seeds for the other parts from its generator.

    References
    ----------
    Hoffer, Hubara, Soudry (2017), "Train longer, generalize better: closing the generalization gap
    in large batch training of neural networks", algorithm 1 (ghost batch normalization).
    """
    count = len(x)
    parts = max(1, min(threads, count // 2))
    if parts == 1:
        return _part(network, loss, x, targets, 1)
    places = _places(count, parts)
    shares = [(place.stop - place.start) / count for place in places]
    # The network itself takes the first part.
    networks = [network, *(network.replica() for _ in range(parts - 1))]
    values = run(
        functools.partial(_part, each, loss, x[place], targets[place], share)
        for each, place, share in zip(networks, places, shares, strict=True)
    )
    network.gather(networks[1:], shares)
    return sum(values)


def run_parts(function, x, threads):
    """Call `function` on parts of x, at most `threads` of them, at once; return what it returned.

    It must not write to anything that another call reads: `forward` without a cache does not.
    """
    places = _places(len(x), max(1, min(threads, len(x))))
    return run(functools.partial(function, x[place]) for place in places)


def _places(count, parts):
    """Return `parts` slices, alike to one, of `count` examples."""
    edges = [count * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in itertools.pairwise(edges)]


def _part(network, loss, x, targets, share):
    """Set the gradients of `share` times the loss of these examples; return that."""
    value, gradient = loss(network.forward(x, training=True), targets)
    if share != 1:
        gradient *= share
    network.backward(gradient, input_gradient=False)
    return share * value


def run(tasks):
    """Call all `tasks` at once, the first in this thread, and return their results in order."""
    first, *others = tasks
    if not others:
        return [first()]
    futures = [_pool(len(others)).submit(task) for task in others]
    try:
        value = first()
    finally:
        errors = [future.exception() for future in futures]  # waits for all of them
    for error in errors:
        if error is not None:
            raise error
    return [value, *(future.result() for future in futures)]


@functools.cache
def _pool(threads):
    """Return that many waiting threads; they are kept."""
    # Imported where it is needed: a browser has no threads, and should not pay for the import.
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(threads, thread_name_prefix="pynet")
