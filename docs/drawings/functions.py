"""Curves of formulas, each computed by the class or function of `pynet` that the text explains."""

import numpy as np

from drawings.style import BLUE, GREEN, OCHRE, RUST, SKY, SOFT, panels, styled
from pynet import (
    Constant,
    Cosine,
    OneCycle,
    ReLU,
    Sigmoid,
    Step,
    cross_entropy,
    mean_squared_error,
    softmax,
)  # fmt: skip


@styled
def activations():
    """Sigmoid and ReLU with their derivatives."""
    figure, axes = panels(2, 3.3)
    x = np.linspace(-6, 6, 601)
    for place, layer, limits in ((axes[0], Sigmoid(), (-0.08, 1.1)), (axes[1], ReLU(), (-0.5, 6))):
        y = layer.forward(x, cache=True)
        slope = layer.backward(np.ones_like(x))
        place.plot(x, y, color=BLUE, label="value")
        place.plot(x, slope, color=RUST, linestyle="--", label="derivative")
        place.set(title=type(layer).__name__, xlabel="$z$", xlim=(-6, 6), ylim=limits)
        place.legend(loc="upper left")
    axes[0].annotate(
        "at most 1/4", (0, 0.25), (1.6, 0.42), color=RUST, fontsize=10,
        arrowprops={"arrowstyle": "-", "color": RUST, "shrinkB": 3},
    )  # fmt: skip
    return figure


@styled
def softmax_bars():
    """Three scores, their exponentials, and the shares of these."""
    figure, axes = panels(3, 2.9)
    scores = np.array([2.0, 1.0, -1.0])
    powers = np.exp(scores)
    steps = (("scores $s$", scores), ("$e^s$", powers), ("probabilities $p$", softmax(scores)))
    for place, (title, values), colour in zip(axes, steps, (SKY, OCHRE, GREEN), strict=True):
        bars = place.bar(["0", "1", "2"], values, color=colour, width=0.6)
        place.bar_label(bars, [f"{v:.3g}".replace("-", "−") for v in values], padding=3)
        place.set(title=title, xlabel="class", yticks=[])
        place.axhline(0, color=SOFT, linewidth=0.8)
        place.spines[["left", "bottom"]].set_visible(False)
        place.tick_params(axis="x", length=0)
        room = 0.2 * max(values)
        place.set_ylim(min(0, min(values)) * 1.5, max(values) + room)
        place.grid(visible=False)
    return figure


@styled
def cross_entropy_curves():
    """The loss against the right class's probability, and how hard each loss pushes the score."""
    figure, axes = panels(2, 3.5)
    p = np.linspace(0.005, 0.995, 199)
    # Two classes with scores (s, 0): softmax gives the first the sigmoid of s.
    s = np.log(p / (1 - p))
    right = np.array([0])
    pairs = np.stack([s, np.zeros_like(s)], axis=1)
    results = [cross_entropy(row[None], right) for row in pairs]
    axes[0].plot(p, [loss for loss, _ in results], color=BLUE)
    for mark in (0.1, 0.5, 0.9):
        loss = -np.log(mark)
        axes[0].plot(mark, loss, "o", color=RUST)
        axes[0].annotate(f"{loss:.3f}", (mark, loss), (5, 7), textcoords="offset points",
                         color=RUST, fontsize=10)  # fmt: skip
    axes[0].set(title="Cross-entropy", xlabel="probability given to the right class",
                ylabel="loss", xlim=(0, 1.02), ylim=(0, 5))  # fmt: skip
    axes[1].plot(p, [-gradient[0, 0] for _, gradient in results], color=BLUE, label="cross-entropy")
    sigmoid = Sigmoid()
    slopes = []
    for score in s:
        y = sigmoid.forward(np.array([[score]]), cache=True)
        _, dy = mean_squared_error(y, np.ones_like(y))
        slopes.append(-sigmoid.backward(dy)[0, 0])
    axes[1].plot(p, slopes, color=RUST, linestyle="--", label="sigmoid, squared error")
    axes[1].set(title="How hard it pushes the score up", xlabel="output for the right class",
                ylabel="− dloss/ds", xlim=(0, 1), ylim=(0, 1.05))  # fmt: skip
    axes[1].legend(loc="upper right")
    return figure


@styled
def schedule_curves():
    """The learning rate over the steps, for the four schedules, each with a warm-up of a tenth."""
    figure, axes = panels(4, 2.5, sharey=True)
    steps = np.arange(100)
    for place, kind, colour in zip(
        axes, (Constant, Step, Cosine, OneCycle), (SKY, OCHRE, GREEN, RUST), strict=True
    ):
        schedule = kind(1.0, total_steps=100, warmup_steps=10)
        place.plot(steps, [schedule(step) for step in steps], color=colour)
        place.set(title=kind.__name__, xlabel="step", xticks=[0, 50, 100], ylim=(0, 1.05))
    axes[0].set(ylabel="share of highest rate", yticks=[0, 0.5, 1])
    return figure
