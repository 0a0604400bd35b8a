"""The server: types, kept connections, sub-paths, ports, and its end by Ctrl-C."""

import html.parser
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse

import pytest
from building import ROOT, address, assert_refused, run

from builder.addresses import HASHED
from builder.server import make_server


def get(connection, path, method="GET"):
    """Return status, headers and body of one request on a kept connection."""
    connection.request(method, path)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


@pytest.mark.parametrize(
    ("name", "mime"),
    [
        ("index.html", "text/html"),
        ("app/main.js", "text/javascript"),
        ("style.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
        ("worker.py", "text/x-python"),
        ("pynet/__init__.py", "text/x-python"),
        ("pyscript.json", "application/json"),
        ("manifest.webmanifest", "application/manifest+json"),
        ("sw.js", "text/javascript"),
        ("runtime/pyodide/pyodide.mjs", "text/javascript"),
        ("runtime/pyodide/pyodide.asm.wasm", "application/wasm"),
        ("runtime/pyodide/python_stdlib.zip", "application/gzip"),
        ("weights/convnet.npz", "application/octet-stream"),
        ("licenses.txt", "text/plain"),
    ],
)
def test_served_types(server, site, name, mime):
    """Each file arrives whole with the type that browsers ask of it; none is kept stale."""
    path = address(site, name)
    connection = http.client.HTTPConnection(*server.server_address)
    status, headers, body = get(connection, "/" if name == "index.html" else f"/{path}?query")
    connection.close()
    assert status == 200
    assert headers.get_content_type() == mime
    caching = "public, max-age=31536000, immutable" if HASHED.search(path) else "no-cache"
    assert headers["Cache-Control"] == caching
    assert headers["Last-Modified"] is None
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert body == (site / path).read_bytes()


def test_absent_file_is_not_remembered(server):
    """That a hashed name is not there is never kept: it may come with the next build."""
    connection = http.client.HTTPConnection(*server.server_address)
    status, headers, _ = get(connection, "/weights/absent-0123456789.npz")
    connection.close()
    assert status == 404
    assert headers["Cache-Control"] == "no-cache"


def test_connection_is_kept_and_bad_paths_are_404(server):
    """One connection serves many requests; folders, absent files and ways out are 404."""
    connection = http.client.HTTPConnection(*server.server_address)
    assert get(connection, "/sw.js")[0] == 200
    first = connection.sock
    assert get(connection, "/sw.js", "HEAD")[2] == b""
    assert connection.sock is first
    for path in ("/runtime/", "/absent.js", "/../build.py", "/%2e%2e/build.py"):
        assert get(connection, path)[0] == 404
    connection.close()


class References(html.parser.HTMLParser):
    """Collects what a page refers to."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        """Note src, and href of links that are loaded."""
        for name, value in attributes:
            if name == "src" or (name == "href" and tag == "link"):
                self.found.append(value)


def test_page_works_under_a_sub_path(site):
    """Under a sub-path all that the page refers to is found, relative to it."""
    parser = References()
    parser.feed((site / "index.html").read_text(encoding="utf-8"))
    assert parser.found
    with make_server(site.parent, 0) as up:
        thread = threading.Thread(target=up.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        base = f"http://127.0.0.1:{up.server_address[1]}/{site.name}/"
        connection = http.client.HTTPConnection(*up.server_address)
        for reference in parser.found:
            url = urllib.parse.urljoin(base, reference)
            assert url.startswith(base), reference
            assert get(connection, urllib.parse.urlsplit(url).path)[0] == 200, reference
        connection.close()
        up.shutdown()
        thread.join()


def test_taken_port_is_named(site):
    """A --port that somebody listens on: one line, exit 2; so for one that is no port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(ROOT, "serve", "--offline", "--no-open", "--out", site, "--port", port)
    assert_refused(done, str(port))
    done = run(ROOT, "serve", "--offline", "--no-open", "--out", site, "--port", 70000)
    assert_refused(done, "70000")


def test_free_port_when_the_usual_is_taken(site):
    """Without --port a server comes up whether 8000 is free or not."""
    with make_server(site, None) as first, make_server(site, None) as second:
        ports = {first.server_address[1], second.server_address[1]}
        assert len(ports) == 2
        assert first.server_address[0] == "127.0.0.1"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_serve_says_where_and_stops_cleanly(site):
    """`serve --no-open` prints its address, answers there, and Ctrl-C ends it with exit 0."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "build.py"), "serve", "--offline", "--no-open", "--out", site],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = next(line for line in process.stdout if line.startswith("serving "))
        url = urllib.parse.urlsplit(line.split(" at ")[1].split()[0])
        connection = http.client.HTTPConnection(url.hostname, url.port)
        assert get(connection, "/")[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        connection.close()
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "stopped" in out
    assert err == ""
