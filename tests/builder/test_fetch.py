"""Downloads from hosts that are right, cut, wrong, absent or silent; what npm and pip say."""

import hashlib
import http.server
import socket
import sys
import threading

import pytest
from building import cached

from builder import fetch
from builder.pinned import Package, Pinned
from builder.processes import run_quietly
from builder.store import Store


class Host(http.server.BaseHTTPRequestHandler):
    """A CDN whose files are right, cut, wrong, absent, or that is silent."""

    def do_GET(self):
        """Answer as the path says."""
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        body = self.server.body
        if kind == "silent":
            self.server.released.wait(20)
            return
        if kind == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write({"right": body, "cut": body[:100], "wrong": body[::-1]}[kind])

    def log_message(self, *arguments):
        """Stay quiet."""


@pytest.fixture
def host():
    """Return a running Host on loopback with 300 kB to give."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.body, server.asked, server.released = bytes(range(256)) * 1200, [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def pins(host, kind, count=2):
    """Return pins of files that a Host gives."""
    package = Package(f"http://127.0.0.1:{host.server_address[1]}/{kind}/")
    digest = hashlib.sha256(host.body).hexdigest()
    names = [f"pyodide/{number}.bin" for number in range(count)]
    return tuple(Pinned(name, len(host.body), digest, package) for name in names)


@pytest.mark.parametrize(
    ("kind", "kept", "asked"),
    [("right", 2, 2), ("wrong", 0, 2), ("absent", 0, 2), ("cut", 0, 2), ("silent", 0, 1)],
)
def test_downloads(kind, kept, asked, host, tmp_path, monkeypatch):
    """Right bytes are kept, others never, not even in part; a silent host is asked once."""
    monkeypatch.setattr(fetch, "SHORT", 1)
    store = Store(tmp_path / "cache", pins(host, kind))
    fetch.from_cdn(store)
    assert len(store.found) == kept
    assert len(cached(tmp_path)) == kept
    assert len(host.asked) == asked


def test_host_that_is_not_there_is_tried_once(tmp_path, capsys, host):
    """Where nobody listens, the second file is not asked for."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    package = Package(f"http://127.0.0.1:{port}/")
    files = tuple(file._replace(package=package) for file in pins(host, ""))
    fetch.from_cdn(Store(tmp_path / "cache", files))
    said = capsys.readouterr().out
    assert said.count("not reached") == 1
    assert cached(tmp_path) == []


def test_downloader_that_fails_tells_why(tmp_path):
    """What npm or pip said last, or of errors first, is what is reported."""
    program = "import sys; print('fetching'); sys.exit('ERROR: no such package')"
    assert run_quietly([sys.executable, "-c", program], tmp_path) == "ERROR: no such package"
    assert run_quietly([sys.executable, "-c", "print('done')"], tmp_path) == ""
    assert "absent" in run_quietly([str(tmp_path / "absent")], tmp_path)
