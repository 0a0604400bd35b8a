"""What the command lines share: one-line errors, exit codes, and the number of threads."""

from __future__ import annotations

import argparse
import os
import sys

from pynet.nn.weights import WeightsError
from pynet.workshop.checkpoints import CheckpointError
from pynet.workshop.extras import MissingExtraError, find
from pynet.workshop.readers import DataError
from pynet.workshop.settings import UsageError
from pynet.workshop.validation import TrainingError

INTERRUPTED = 130  # 128 + SIGINT, as shells count


EXPECTED = (
    UsageError, DataError, WeightsError, CheckpointError, TrainingError, MissingExtraError, OSError,
    MemoryError,
)  # fmt: skip


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line, like all others."""

    def error(self, message):
        """Print the message with the way to help, and exit 2."""
        name = self.prog.removeprefix("python -m ")
        self.exit(2, f"{name}: {message} (see {self.prog} --help)\n")


def run(name: str, main) -> int:
    """Call `main` and turn expected errors into one line on stderr.

    Parameters
    ----------
    name : str
        Such as "pynet.train", to begin the line with.
    main : callable
        Returns an exit code.

    Returns
    -------
    int
        The exit code: 2 after an expected error, 130 after Ctrl-C.
    """
    try:
        return main()
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `head`, has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except EXPECTED as error:
        print(f"{name}: {explain(error)}", file=sys.stderr)
        return 2


def leave(code: int):
    """End the process with this exit code.

    After a KeyboardInterrupt that went through code compiled at run time (as dataclasses do on
    import) Python ends itself by the signal in place of the code, though it was handled; so the
    code is given to the system directly.
    """
    if code == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def note(name: str, text: str) -> None:
    """Print one line on stderr that is neither result nor error."""
    print(f"{name}: {text}", file=sys.stderr)


def explain(error: BaseException) -> str:
    """Put an error into one line."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    if isinstance(error, MemoryError):
        return "not enough memory"
    return " ".join(str(error).split())


def limit_threads() -> bool:
    """Let each of numpy's matrix products use one thread, where threadpoolctl is there to say so.

    More gain little on networks as small as these, and on a machine that has other work to do
    they wait for each other: five times slower was measured. The other core prepares the next
    batches, or works on another part of the batch: see `pynet.nn.parallel`.

    Returns
    -------
    bool
        Whether it is there.
    """
    control = find("threadpoolctl")
    if control is not None:
        control.threadpool_limits(1, user_api="blas")
    return control is not None
