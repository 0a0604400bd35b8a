"""Small experiments with `pynet`, run anew for each picture: seconds, and no data needed."""

import itertools

import numpy as np

from drawings.style import BLUE, GREEN, OCHRE, PAPER, RUST, SKY, SOFT, panels, styled
from pynet import SGD, Adam, Linear, ReLU, Sequential, Sigmoid, cross_entropy, train_step
from pynet.nn.init import glorot_normal, he_normal

VALLEY = np.array([1.0, 10.0])  # curvatures: ten times as steep across as along


@styled
def descent():
    """Paths down a valley: three learning rates, then three optimisers."""
    figure, axes = panels(2, 4.1, sharey=True)
    x, y = np.meshgrid(np.linspace(-4.7, 1.4, 200), np.linspace(-1.7, 1.7, 200))
    height = (VALLEY[0] * x**2 + VALLEY[1] * y**2) / 2
    for place in axes:
        place.contour(x, y, height, levels=np.geomspace(0.1, 24, 12), colors=[SKY], linewidths=0.7)
        place.plot(0, 0, "*", color=GREEN, markersize=13, zorder=5)
        place.set(xlabel="first weight", xlim=(-4.7, 1.4), ylim=(-1.7, 1.7))
        place.grid(visible=False)
    rates = ((0.01, BLUE, "slow"), (0.08, GREEN, "good"), (0.203, RUST, "too large"))
    for rate, colour, verdict in rates:
        label = f"{rate}: {verdict}"
        path = walk(lambda params, rate=rate: SGD(params, learning_rate=rate), 20)
        axes[0].plot(*path.T, "o-", color=colour, label=label, markersize=3.5, linewidth=1.4)
    makers = (
        (lambda params: SGD(params, learning_rate=0.05), BLUE, "SGD"),
        (lambda params: SGD(params, learning_rate=0.05, momentum=0.7), OCHRE, "SGD, momentum 0.7"),
        (lambda params: Adam(params, learning_rate=0.25), RUST, "Adam"),
    )
    for maker, colour, label in makers:
        path = walk(maker, 30)
        axes[1].plot(*path.T, "o-", color=colour, label=label, markersize=3.5, linewidth=1.4)
    axes[0].set(title="Three learning rates, 20 steps", ylabel="second weight")
    axes[1].set(title="Three optimisers, 30 steps")
    for place in axes:
        place.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, columnspacing=1.0,
                     handlelength=1.2)  # fmt: skip
    return figure


def walk(make_optimizer, steps):
    """Follow an optimiser down the valley: (steps + 1, 2)."""
    params = {"point": np.array([-4.0, 0.9])}
    optimizer = make_optimizer(params)
    path = [params["point"].copy()]
    for _ in range(steps):
        optimizer.step({"point": VALLEY * params["point"]})
        path.append(params["point"].copy())
    return np.array(path)


@styled
def initialisation():
    """How large signals and gradients are, layer by layer, at the start."""
    figure, axes = panels(2, 3.5)
    depth, width = 10, 256
    x = np.random.default_rng(0).standard_normal((500, width)).astype(np.float32)
    layers = np.arange(1, depth + 1)
    cases = ((0.5, OCHRE, "half of He"), (1.0, GREEN, "He"), (2.0, RUST, "twice He"))
    for factor, colour, label in cases:
        outputs, _ = spread(scaled(factor), ReLU, x, depth, width)
        axes[0].plot(layers, outputs, "o-", color=colour, label=label, markersize=4)
    axes[0].set(title="Signal in a deep ReLU network", ylabel="root mean square")
    for kind, init, colour in ((ReLU, he_normal, GREEN), (Sigmoid, glorot_normal, RUST)):
        _, gradients = spread(init, kind, x, depth, width)
        axes[1].plot(layers, gradients, "o-", color=colour, label=kind.__name__, markersize=4)
    axes[1].set(title="Gradient that reaches each layer", ylabel="share of the last layer's")
    for place in axes:
        place.set(xlabel="layer", yscale="log", xticks=layers)
        place.legend(loc="upper left" if place is axes[0] else "lower right")
    return figure


def scaled(factor):
    """Return He's initialiser, times a factor."""
    return lambda shape, rng: np.float32(factor) * he_normal(shape, rng)


def spread(init, activation, x, depth, width):
    """Return the size of each layer's output, and of the gradient that reaches it."""
    rng = np.random.default_rng(1)
    linears = [Linear(width, width, init=init, rng=rng) for _ in range(depth)]
    bends = [activation() for _ in range(depth)]
    outputs, gradients = [], []
    for linear, bend in zip(linears, bends, strict=True):
        x = bend.forward(linear.forward(x, cache=True), cache=True)
        outputs.append(size(x))
    dy = np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    for linear, bend in zip(reversed(linears), reversed(bends), strict=True):
        gradients.insert(0, size(dy))
        dy = linear.backward(bend.backward(dy))
    return outputs, [gradient / gradients[-1] for gradient in gradients]


def size(array):
    """Return the root mean square."""
    return float(np.sqrt((array * array).mean()))


@styled
def overfitting():
    """A network that learns its 80 examples by heart: the boundary, and two losses."""
    rng = np.random.default_rng(3)
    x, targets = moons(80, rng)
    other_x, other_targets = moons(1000, rng)
    widths = (2, 64, 64, 2)
    layers = []
    for first, second in itertools.pairwise(widths):
        layers += [Linear(first, second, init=he_normal, rng=rng), ReLU()]
    network = Sequential(layers[:-1])
    optimizer = Adam(network.params, learning_rate=0.002)
    curves, pictures = [], {}
    grid = np.stack(np.meshgrid(np.linspace(-2.2, 3.2, 150), np.linspace(-1.9, 2.4, 150)), axis=-1)
    shots = (60, 1500)
    for step in range(1, shots[-1] + 1):
        loss = train_step(network, cross_entropy, optimizer, x, targets)
        if step % 10 == 1:
            curves.append((step, loss, cross_entropy(network.forward(other_x), other_targets)[0]))
        if step in shots:
            flat = grid.reshape(-1, 2).astype(np.float32)
            pictures[step] = network.predict_proba(flat)[:, 1].reshape(grid.shape[:2])
    figure, axes = panels(3, 3.3)
    for place, step in zip(axes, shots, strict=False):
        place.contourf(grid[..., 0], grid[..., 1], pictures[step], levels=[-0.1, 0.5, 1.1],
                       colors=[PAPER, "#dbe4f0"])  # fmt: skip
        place.contour(grid[..., 0], grid[..., 1], pictures[step], levels=[0.5], colors=[SOFT])
        for kind, colour, mark in ((0, RUST, "o"), (1, BLUE, "s")):
            place.plot(*x[targets == kind].T, mark, color=colour, markersize=4)
        place.set(title=f"after {step} steps", xticks=[], yticks=[])
        place.grid(visible=False)
        place.spines[:].set_visible(True)
    steps, seen, unseen = zip(*curves, strict=True)
    axes[2].plot(steps, seen, color=BLUE, label="training")
    axes[2].plot(steps, unseen, color=RUST, linestyle="--", label="validation")
    axes[2].set(title="loss", xlabel="step", ylim=(0, 1.2))
    axes[2].legend(loc="center right")
    return figure


def moons(count, rng):
    """Draw points from two crescents that noise makes overlap: (N, 2) float32 and classes."""
    targets = rng.integers(0, 2, count)
    angle = rng.uniform(0, np.pi, count)
    x = np.where(targets == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(targets == 0, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], axis=1) + 0.35 * rng.standard_normal((count, 2))
    return points.astype(np.float32), targets
