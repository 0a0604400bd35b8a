"""Import the optional libraries, or say in one line how to install them."""

from __future__ import annotations

import importlib
from types import ModuleType

INSTALL = "python -m pip install -e '.[train]'"


class MissingExtraError(ImportError):
    """An optional library is not installed; the message says how to install it."""


def need(module: str, purpose: str) -> ModuleType:
    """Import an optional module.

    Parameters
    ----------
    module : str
        Such as "matplotlib" or "PIL.Image".
    purpose : str
        What wants it, to begin the message with: "--plot".

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = {"PIL": "pillow"}.get(module.split(".")[0], module.split(".")[0])
        raise MissingExtraError(
            f"{purpose} needs {package}, which is not installed; in the checkout: {INSTALL}"
        ) from error


def find(module: str) -> ModuleType | None:
    """Import an optional module, or return None where it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
