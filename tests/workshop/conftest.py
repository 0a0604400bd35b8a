"""Fixtures for the tests of the workshop."""

import pytest

from pynet.workshop.commands import limit_threads


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Run matrix products on one thread, as the command lines do."""
    limit_threads()
