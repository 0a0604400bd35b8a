"""Fixtures that every test may use."""

import os
from pathlib import Path

import numpy as np
import pytest


def pytest_collection_modifyitems(config, items):
    """Deselect, visibly, the tests on the real MNIST files when nothing says where they are."""
    if os.environ.get("PYNET_DATA"):
        return
    dropped = [item for item in items if item.get_closest_marker("mnist")]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


@pytest.fixture
def rng():
    """Return a seeded generator, new for each test."""
    return np.random.default_rng(20260722)


@pytest.fixture(scope="session")
def mnist_folder():
    """Return the folder of the real MNIST files; a missing one is a failure, not a skip."""
    folder = Path(os.environ["PYNET_DATA"]).resolve()
    assert folder.is_dir(), f"PYNET_DATA={folder} is not a folder"
    return folder


@pytest.fixture(scope="session")
def repository():
    """Return the root of the repository."""
    return Path(__file__).resolve().parents[1]
