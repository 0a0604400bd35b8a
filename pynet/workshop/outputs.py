"""Write result files whole or not at all, with errors that name the file that was wanted."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pynet.nn.files import write_atomically


def write(path: Path, data: bytes) -> None:
    """Replace a file by `data`; a failure leaves the old one as it was.

    Raises
    ------
    OSError
        Naming `path` and not the temporary file beside it.
    """
    try:
        write_atomically(path, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def check_folder(folder: Path) -> None:
    """Make a folder if it is missing and try to write into it.

    Raises
    ------
    OSError
        Naming the folder.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
            file.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error
