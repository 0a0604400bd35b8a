"""Show how training goes, on stderr: a live bar in a terminal, else one line an epoch."""

from __future__ import annotations

import sys
import time

from pynet.workshop.extras import find
from pynet.workshop.training import ALL, BatchDone, EpochDone, Training

tqdm = find("tqdm")


class Progress:
    """Follow a run; use it as a context manager and `show` each event.

    Parameters
    ----------
    training : Training
        Gives the totals and how far a resumed run has come.
    stream : text file, optional
        Default: stderr.
    """

    def __init__(self, training: Training, stream=None):
        self.training = training
        self.stream = stream or sys.stderr
        self._bar = None
        self._validation = None
        self._loss = None
        self._total = training.images_to_go()
        self._seen = 0
        self._started = time.perf_counter()
        if tqdm is not None and self.stream.isatty():
            self._bar = tqdm.tqdm(
                total=self._total, unit=" images", unit_scale=True, file=self.stream,
                dynamic_ncols=True, mininterval=0.2, leave=False,
                bar_format="{desc} {bar} {rate_fmt}, {remaining} left",
            )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._bar is not None:
            self._bar.close()

    def show(self, event) -> None:
        """Take in what `Training.run` yielded."""
        if isinstance(event, BatchDone):
            self._seen += event.images
            # a mean over about the last twenty batches: single ones jump about
            self._loss = event.loss if self._loss is None else 0.95 * self._loss + 0.05 * event.loss
            if self._bar is not None:
                self._bar.set_description_str(self._describe(event), refresh=False)
                self._bar.update(event.images)
        elif isinstance(event, EpochDone):
            accuracy = event.record["validation_accuracy"]
            self._validation = self._validation if accuracy is None else accuracy
            if self._bar is None:
                print(self._line(event.record), file=self.stream, flush=True)

    def _describe(self, event):
        text = f"{self._epoch(event.stage, event.epoch)}  loss {self._loss:.4f}"
        return text if self._validation is None else f"{text}  val {self._validation:.2%}"

    def _line(self, record):
        spent = time.perf_counter() - self._started
        rate = self._seen / spent
        left = max(0, self._total - self._seen) / rate
        accuracy = record["validation_accuracy"]
        validation = "" if accuracy is None else f"  validation {accuracy:.2%}"
        return (
            f"{self._epoch(record['stage'], record['epoch'])}  loss {record['loss']:.4f}"
            f"{validation}  {rate:,.0f} images/s  {clock(left)} left"
        )

    def _epoch(self, stage, epoch):
        total = self.training.chosen_epochs if stage == ALL else self.training.recipe.epochs
        return f"{'all data, ' if stage == ALL else ''}epoch {epoch}/{total}"


def clock(seconds: float) -> str:
    """Write a duration as m:ss or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
