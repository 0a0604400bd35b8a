"""Fixtures: a built site, the pinned files, a copy of the repository to break, a server.

All builds are real: the runtime comes from the cache, which the first test fills where it is empty.
"""

import threading

import pytest
from building import ROOT, copy_repository, run

from builder.files import cache_folder
from builder.server import make_server
from builder.store import Store


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Return a folder with the built site; fills the cache of runtime files where it is empty."""
    folder = tmp_path_factory.mktemp("built") / "dist"
    done = run(ROOT, "--out", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def repository(tmp_path, site):
    """Return a small copy of the repository, in a folder with a difficult name."""
    return copy_repository(tmp_path / "a plåce with späces")


@pytest.fixture(scope="session")
def runtime(site):
    """Return the pinned files by path, from the cache."""
    store = Store(cache_folder() / "runtime")
    assert store.missing() == []
    return {file.path: data for file, data in store.found.items()}


@pytest.fixture
def server(site):
    """Return build.py's server of the site, running, on a free port."""
    with make_server(site, 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()
