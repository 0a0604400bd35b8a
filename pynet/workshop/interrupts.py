"""Ctrl-C that lets a training run come to a clean stop."""

from __future__ import annotations

import signal


class Interrupt:
    """Take Ctrl-C while the context lasts.

    Before a training run is handed to `guard`, Ctrl-C raises KeyboardInterrupt as ever. From then
    on the first one only asks the run to stop after the batch in work, so that nothing is caught
    half-written; a second one raises.

    Attributes
    ----------
    requested : bool
        Whether Ctrl-C was pressed. It outlives a KeyboardInterrupt that was lost: Python cannot
        pass on one that is raised inside a finalizer or some callbacks of the import system.
    """

    def __init__(self):
        self.requested = False
        self._training = None

    def __enter__(self):
        self._before = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self._before)

    def guard(self, training) -> None:
        """Stop this run, by its attribute `stop`, from now on."""
        self._training = training
        training.stop = self.requested

    def _take(self, *_):
        again, self.requested = self.requested, True
        if again or self._training is None:
            raise KeyboardInterrupt
        self._training.stop = True
