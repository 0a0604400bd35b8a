"""Python starts the ordinary way: the site has no snapshot, or it does not come."""

from collections import Counter
from unittest.mock import patch

import pytest

from browser.digits import DIGITS
from browser.hosts import COMPRESSED, hosting
from browser.test_offline import expect_kept
from builder import site as module
from builder.addresses import logical

pytestmark = pytest.mark.timeout(600)  # slow starts of Python in each test
SNAPSHOT = "runtime/snapshot.bin"


@pytest.fixture(scope="module")
def without_snapshot(tmp_path_factory):
    """Return the folder of a site that was built where nothing could make a snapshot."""
    folder = tmp_path_factory.mktemp("ordinary") / "dist"
    with patch.object(module, "snapshot", return_value={}):
        module.build(folder)
    return folder


@pytest.fixture(params=[None, COMPRESSED], ids=["stores", "compresses"])
def host(request, dist):
    """Return a server of the site that compresses on the way, or one that does not."""
    with hosting(dist) as host:
        host.compresses = request.param
        yield host


def check_start(visitor, host):
    """Start the ordinary way, then without the server; return what was asked for, but by names."""
    tab = visitor().expect_state("ready")
    assert tab.root.get_attribute("data-boot") == "ordinary"
    expect_kept(tab)
    asked = [path for path in host.asked if logical(path) != path]
    host.stop()
    tab.page.reload()
    tab.expect_state("ready")
    tab.draw(DIGITS[7][0])
    tab.expect_digit(7)
    return asked


def test_site_without_a_snapshot(visitor, host, without_snapshot):
    """Page, worker and service worker ask for each file once together, and for no snapshot."""
    host.serve(without_snapshot)
    asked = Counter(map(logical, check_start(visitor, host)))
    assert [name for name, times in asked.items() if times > 1] == []
    assert "runtime/pyodide/pyodide.asm.wasm" in asked
    assert SNAPSHOT not in asked


def test_snapshot_that_does_not_come(visitor, host):
    """Both starts and the service worker ask for each file in one form, so it is cached."""
    visitor.watch.allow("snapshot.*ERR_|Failed to load resource")
    host.breaks = lambda path: logical(path) == SNAPSHOT and "sw.js" not in host.asked
    forms = set(check_start(visitor, host))
    assert len(forms) == len(set(map(logical, forms)))
