"""Train a network over epochs: validation, early stopping, averaging, checkpoints.

One step and one epoch are `pynet.nn.fit`. Nothing here prints: `Training.run` yields what
happened, and the caller shows it.
"""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pynet.nn import models
from pynet.nn.average import ExponentialMovingAverage
from pynet.nn.certainty import Certainty
from pynet.nn.fit import fit_epoch
from pynet.nn.losses import LOSSES
from pynet.nn.optim import OPTIMIZERS
from pynet.nn.schedules import SCHEDULES
from pynet.workshop import calibration, checkpoints
from pynet.workshop.batches import WEIGHTS, deal, generator
from pynet.workshop.data import Dataset
from pynet.workshop.settings import Settings
from pynet.workshop.validation import TrainingError, score, split

# The two passes: the first chooses on the validation split, the second (if the recipe has one)
# uses every training image for as many epochs.
CHOOSE, ALL = "choose", "all"


@dataclass(frozen=True)
class BatchDone:
    """One batch was learnt."""

    stage: str
    epoch: int  # from 1
    images: int
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """One epoch was learnt, validated and saved; `record` is its entry in the history."""

    record: dict


class Training:
    """One training run: all of its state, how to save it and how to go on.

    Parameters
    ----------
    settings : Settings
        Model, recipe and seed.
    data : Dataset
        Only its training part is ever touched here. Where that is empty, the network learns from
        drawn digits alone, and is validated on others of them.
    folder : Path, optional
        Where to keep checkpoints; none are written without it.
    workers : int
        Threads that prepare batches; the result does not depend on it.

    Attributes
    ----------
    network : Sequential
    history : list of dict
        One record an epoch: stage, epoch, loss, validation_loss, validation_accuracy,
        learning_rate, seconds.
    best : dict of str to ndarray, or None
        The weights to keep so far.
    best_record : dict or None
        The history record they belong to.
    stop : bool
        Set it to end `run` after the batch in work.
    """

    def __init__(self, settings: Settings, data: Dataset, *, folder=None, workers=1):
        self.settings, self.recipe = settings, settings.recipe
        self.folder = Path(folder) if folder else None
        self.workers = workers
        self.checksums = data.checksums
        self._all = data.train_images, data.train_labels
        if not len(data.train_images) and not self.recipe.generated:
            raise TrainingError("there is nothing to train on: give --generated a number above 0")
        self._part, self._validation = split(*self._all, self.recipe.validation)
        if not len(data.train_images) and self.recipe.validation:
            self._validation = calibration.drawn_digits()
        self.history, self.best, self.best_record = [], None, None
        self._certainty = None  # of the first stage, once the second has begun
        self.stop = False
        self._loss = LOSSES[models.LOSSES[settings.model]]
        self._enter(CHOOSE)

    def _enter(self, stage):
        """Begin a stage with a fresh network."""
        recipe = self.recipe
        self.stage, self.epoch, self.step = stage, 0, 0
        self.images, self.labels = self._data_of(stage)
        # One generator makes the first weights and then serves dropout; its state is saved.
        self._rng = generator(self.settings.seed, WEIGHTS)
        self.network = models.build(self.settings.model, rng=self._rng, dropout=recipe.dropout)
        params = self.network.params
        extra = {"momentum": recipe.momentum} if recipe.optimizer == "sgd" else {}
        self.optimizer = OPTIMIZERS[recipe.optimizer](
            params, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay, **extra
        )
        # Running statistics are averaged like the weights that they belong to.
        self.average = None
        if recipe.average:
            self.average = ExponentialMovingAverage(saved(self.network), recipe.average)
        self.total_steps = recipe.epochs * math.ceil(self._per_epoch(stage) / recipe.batch_size)
        self._schedule = SCHEDULES[recipe.schedule](
            recipe.learning_rate,
            total_steps=self.total_steps,
            warmup_steps=round(recipe.warmup * self.total_steps),
        )

    def _data_of(self, stage):
        return self._all if stage == ALL else self._part

    def _per_epoch(self, stage):
        """How many images an epoch has, drawn ones included."""
        return len(self._data_of(stage)[0]) + len(self.recipe.drawn)

    def trained_on(self) -> int:
        """Return how many images the weights to keep have learnt from, beside drawn ones."""
        return len(self._data_of(self.best_record["stage"])[0])

    @property
    def chosen_epochs(self) -> int:
        """Epochs for the second stage: the recipe's, or the best one's after an early stop."""
        first = [record for record in self.history if record["stage"] == CHOOSE]
        return self.best_record["epoch"] if len(first) < self.recipe.epochs else self.recipe.epochs

    def images_to_go(self) -> int:
        """Return how many images are still to be learnt, if nothing stops the run early."""
        if self.stage == ALL:
            return (self.chosen_epochs - self.epoch) * self._per_epoch(ALL)
        later = self.recipe.epochs * self._per_epoch(ALL) if self.recipe.final_on_all else 0
        return (self.recipe.epochs - self.epoch) * self._per_epoch(CHOOSE) + later

    @property
    def done(self) -> bool:
        """Whether the current stage has had all its epochs."""
        if self.stage == ALL:
            return self.epoch >= self.chosen_epochs
        if self.epoch >= self.recipe.epochs:
            return True
        patience = self.recipe.patience
        return bool(patience and self.history) and self.epoch - self._best_epoch >= patience

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.done and (self.stage == ALL or not self.recipe.final_on_all)

    @property
    def _best_epoch(self):
        return self.best_record["epoch"] if self.best_record else 0

    def run(self):
        """Train until all is done or `stop` is set.

        Yields
        ------
        BatchDone or EpochDone

        Raises
        ------
        TrainingError
            If the loss is no longer a number.
        OSError
            If a checkpoint cannot be written.
        """
        while not self.finished and not self.stop:
            if self.done:
                self._certainty = self._fit_certainty(self.best_network())
                self._enter(ALL)
            yield from self._run_epoch()

    def _run_epoch(self):
        """Learn one epoch, validate it, and save a checkpoint."""
        started, total, seen = time.perf_counter(), 0.0, 0
        batches = deal(
            self.images, self.labels, batch_size=self.recipe.batch_size, seed=self.settings.seed,
            epoch=self.epoch, augment=self.recipe.augmenter(self.epoch), workers=self.workers,
            drawn=self.recipe.drawn,
        )  # fmt: skip
        loss = self._loss
        if self.recipe.label_smoothing:
            loss = functools.partial(loss, label_smoothing=self.recipe.label_smoothing)
        steps = fit_epoch(
            self.network, loss, self.optimizer, self._schedule, batches,
            step=self.step, average=self.average, threads=self.recipe.threads,
        )  # fmt: skip
        try:
            for progress in steps:
                if not math.isfinite(progress.loss):
                    raise TrainingError(
                        f"the loss became {progress.loss} in epoch {self.epoch + 1}; "
                        "try a lower --learning-rate"
                    )
                total += progress.loss * progress.images
                seen += progress.images
                yield BatchDone(self.stage, self.epoch + 1, progress.images, progress.loss)
                if self.stop:
                    return
        finally:
            steps.close()
            batches.close()
        self.epoch += 1
        self.step = progress.step
        record = self._record(loss=total / seen)
        self._judge(record)
        record["seconds"] = round(time.perf_counter() - started, 3)
        self.history.append(record)
        if self.folder:
            checkpoints.save(self.folder, len(self.history), self._arrays(), self._state())
        yield EpochDone(record)

    def _judge(self, record):
        """Validate the weights that would be kept, and keep them if they are the best."""
        current = saved(self.network)
        candidate = self.average.average if self.average else current
        if self.stage == CHOOSE and len(self._validation[0]):
            own = {name: array.copy() for name, array in current.items()}
            assign(current, candidate)
            loss, accuracy = score(self.network, self._loss, *self._validation)
            assign(current, own)
            record["validation_loss"], record["validation_accuracy"] = loss, accuracy
            if self._is_worse(record):
                return
        elif self.stage == ALL and self.epoch < self.chosen_epochs:
            return  # until the second stage is complete, the validated weights are the best known
        self.best_record = record
        self.best = {name: array.copy() for name, array in candidate.items()}

    def _is_worse(self, record):
        """Tell whether the best weights so far are to be preferred to those of `record`.

        A schedule that is followed to its end leaves the best weights there: on a few thousand
        images the best of many epochs is mostly the luckiest. So only early stopping goes by it,
        and a run that is cut short.
        """
        if self.best_record is None:
            return False
        at_the_end = self.epoch == self.recipe.epochs and not self.recipe.patience
        return not at_the_end and _merit(record) <= _merit(self.best_record)

    def keep_current(self) -> bool:
        """Take the weights of an epoch in work as the best; return False before the first step."""
        if self.optimizer.steps == 0:
            return False
        self._judge(self._record(loss=None))
        return True

    def _record(self, loss):
        """Return what the history says of the last whole epoch, before it is validated."""
        return {
            "stage": self.stage,
            "epoch": self.epoch,
            "loss": loss,
            "validation_loss": None,
            "validation_accuracy": None,
            "learning_rate": self.optimizer.learning_rate,
            "seconds": None,
        }

    def best_network(self):
        """Return a network with the weights to keep, or None before the first epoch is over."""
        if self.best is None:
            return None
        model, dropout = self.settings.model, self.recipe.dropout
        network = models.build(model, rng=generator(0, WEIGHTS), dropout=dropout)
        assign(saved(network), self.best)
        return network

    @property
    def validated(self) -> dict | None:
        """The record of the first stage whose weights were kept; None without validation."""
        if self.best_record and self.best_record["validation_accuracy"] is not None:
            return self.best_record
        records = [r for r in self.history if r["validation_accuracy"] is not None]
        if records and len(records) == self.recipe.epochs and not self.recipe.patience:
            return records[-1]
        return max(records, key=_merit, default=None)

    def certainty(self, network) -> Certainty:
        """Return temperature and threshold for the weights to keep.

        Parameters
        ----------
        network : Sequential
            With those weights.

        Notes
        -----
        They are found on digits that the network has not learnt from. Where the weights are of the
        second stage there are none; then those of the first stage serve, which the same recipe
        made from nearly the same images.
        """
        if self._certainty is not None and self.best_record["stage"] == ALL:
            return self._certainty
        return self._fit_certainty(network)

    def _fit_certainty(self, network):
        """Fit on the validation images, and on drawn digits if the network has learnt from some."""
        drawn = (*calibration.drawn_digits(), calibration.REFUSED_DRAWN)
        if not len(self._all[0]):
            sources = [drawn] if self.recipe.validation else []
        else:
            sources = [(*self._validation, calibration.REFUSED)]
            if self.recipe.generated:
                sources.append(drawn)
        return calibration.certainty_of(network, sources, refuse=self.recipe.non_digits > 0)

    def validation_accuracy(self, network) -> float | None:
        """Return the share of the validation images that a network reads right."""
        if not len(self._validation[0]):
            return None
        return score(network, self._loss, *self._validation)[1]

    def _state(self):
        return {
            "settings": self.settings.as_dict(),
            "data": self.checksums,
            "stage": self.stage,
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "best_record": self.best_record,
            "rng": self._rng.bit_generator.state,
            "finished": self.finished,
            "certainty": self._certainty and self._certainty.as_dict(),
        }

    def _arrays(self):
        groups = {
            "params": self.network.params,
            "buffers": self.network.buffers,
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state_dict() if self.average else {},
            "best": self.best or {},
        }
        return {f"{group}/{name}": a for group, part in groups.items() for name, a in part.items()}

    def restore(self, arrays: dict, state: dict) -> None:
        """Go on from a checkpoint.

        Raises
        ------
        checkpoints.CheckpointError
            If it does not fit this run.
        """
        if state.get("data") != self.checksums:
            raise checkpoints.CheckpointError("the run to resume was trained on other data files")
        try:
            self._enter(state["stage"])
            groups = {name: {} for name in ("params", "buffers", "optimizer", "average", "best")}
            for path, array in arrays.items():
                group, name = path.split("/", 1)
                groups[group][name] = array
            assign(self.network.params, groups["params"])
            assign(self.network.buffers, groups["buffers"])
            self.optimizer.load_state_dict(groups["optimizer"])
            if self.average:
                self.average.load_state_dict(groups["average"])
            self._rng.bit_generator.state = state["rng"]
            self.best = groups["best"] or None
            self.best_record, self.history = state["best_record"], state["history"]
            self.epoch, self.step = state["epoch"], state["step"]
            if state.get("certainty"):
                self._certainty = Certainty(**state["certainty"])
        except (KeyError, ValueError, TypeError) as error:
            raise checkpoints.CheckpointError(f"checkpoint does not fit: {error}") from error


def _merit(record):
    """Order records: the higher validation accuracy, then the lower loss."""
    return record["validation_accuracy"], -record["validation_loss"]


def saved(network) -> dict:
    """Return all that a weights file keeps: parameters and running statistics, by path."""
    return {**network.params, **network.buffers}


def assign(targets: dict, values: dict) -> None:
    """Copy each value into the array of the same name, in place."""
    for name, array in targets.items():
        if values[name].shape != array.shape:
            raise ValueError(f"{name} has shape {values[name].shape}, expected {array.shape}")
        np.copyto(array, values[name])
