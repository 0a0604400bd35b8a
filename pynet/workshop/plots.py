"""Pictures for people, by matplotlib: the curves of a training run."""

from __future__ import annotations

import io
from pathlib import Path

from pynet.workshop import outputs
from pynet.workshop.extras import need


def require() -> None:
    """Raise MissingExtraError unless matplotlib is installed."""
    need("matplotlib", "--plot")


def curves(history: list[dict], path: Path) -> None:
    """Draw loss, error and learning rate over the epochs as a PNG.

    Parameters
    ----------
    history : list of dict
        As `training.Training.history`.
    path : Path
        Replaced whole, or left as it was.
    """
    figures = need("matplotlib.figure", "--plot")  # drawn without pyplot: no display, no state
    figure = figures.Figure(figsize=(9, 3.2), layout="constrained")
    losses, errors, rates = figure.subplots(1, 3)
    steps = range(1, len(history) + 1)
    validated = [step for step in steps if history[step - 1]["validation_loss"] is not None]
    losses.plot(steps, [record["loss"] for record in history], label="training")
    losses.set(title="loss", xlabel="epoch", yscale="log")
    if validated:
        values = [history[step - 1]["validation_loss"] for step in validated]
        losses.plot(validated, values, label="validation")
        wrong = [100 * (1 - history[step - 1]["validation_accuracy"]) for step in validated]
        errors.plot(validated, wrong, color="C1", label="validation")
    losses.legend()
    errors.set(title="validation error, %", xlabel="epoch", ylim=(0, None))
    rates.plot(steps, [record["learning_rate"] for record in history], color="C2")
    rates.set(title="learning rate", xlabel="epoch", ylim=(0, None))
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    outputs.write(path, picture.getvalue())
