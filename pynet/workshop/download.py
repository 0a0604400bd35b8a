"""Fetch MNIST into a cache folder, from the first mirror that has the right bytes."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from pynet.workshop.extras import find
from pynet.workshop.readers import DataError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SHA256 = dict(
    line.split()[::-1]
    for line in """
    440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609  train-images-idx3-ubyte.gz
    3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c  train-labels-idx1-ubyte.gz
    8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6  t10k-images-idx3-ubyte.gz
    f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6  t10k-labels-idx1-ubyte.gz
    """.strip().splitlines()
)
ADVICE = (
    f"put {', '.join(SHA256)} (or mnist.npz) into a folder and name it with --data or PYNET_DATA"
)


def cache_folder() -> Path:
    """Return the user's cache folder for MNIST; it may not exist yet."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pynet" / "mnist"


def fill(folder: Path) -> None:
    """Fetch those of the four MNIST files that `folder` lacks, with progress on stderr.

    Each is checked by its SHA-256 before it gets its name.

    Raises
    ------
    DataError
        If pooch is missing, or no mirror gave the right bytes.
    """
    if all((folder / name).is_file() for name in SHA256):
        return
    pooch = find("pooch")
    if pooch is None:
        raise DataError(f"no MNIST data in {folder}, and pooch to download it is missing; {ADVICE}")
    pooch.get_logger().setLevel(logging.ERROR)
    bar = find("tqdm") is not None and sys.stderr.isatty()
    for name, checksum in SHA256.items():
        failure = None
        for mirror in MIRRORS:
            try:
                fetch = pooch.HTTPDownloader(progressbar=bar, timeout=10)
                pooch.retrieve(mirror + name, checksum, name, folder, downloader=fetch)
                break
            except (OSError, ValueError) as error:  # no network, or not the right bytes
                failure = error
        else:
            reason = type(failure).__name__ if isinstance(failure, OSError) else "wrong bytes"
            raise DataError(f"no MNIST data, and downloading it failed ({reason}); {ADVICE}")
