"""A static host for the benchmark of starts: gzips as GitHub Pages does, counts, and can be slow.

What GitHub Pages does, as its answers show: gzip for text, scripts, JSON and wasm, none for
archives and unknown types; max-age=600 and an ETag for all; no headers of the site's own. Unlike it
this host speaks HTTP/1.1 without TLS, so a browser uses up to six connections.

The slow line is made here and not by DevTools, so that it holds for pages, workers and service
workers alike. All connections share its rate; each request waits for one round trip, and the first
of a connection for another. TCP's slow start is not imitated.
"""

import gzip
import hashlib
import http.server
import threading
import time
from contextlib import contextmanager

TYPES = {
    **{".html": "text/html", ".css": "text/css", ".txt": "text/plain", ".py": "text/x-python"},
    **{".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json"},
    **{".wasm": "application/wasm", ".svg": "image/svg+xml", ".png": "image/png"},
    **{".webmanifest": "application/manifest+json", ".zip": "application/zip"},
}
GZIPPED = ("text/", "application/json", "application/wasm", "application/manifest", "image/svg")
GZIP_LEVEL = 6  # zlib's default
BLOCK = 1 << 14  # bytes; how finely connections share the line


class Line:
    """What all connections share.

    Parameters
    ----------
    megabits : float, optional
        Rate in Mbit/s; None for as fast as it goes.
    milliseconds : float
        Round trip.
    """

    def __init__(self, megabits=None, milliseconds=0):
        self.rate = megabits and megabits * 1e6 / 8  # bytes a second
        self.round_trip = milliseconds / 1000
        self.free = 0.0  # when the line has sent what was given to it
        self.lock = threading.Lock()

    def send(self, write, data):
        """Write `data` at the rate of the line."""
        if self.rate is None:
            write(data)
            return
        view = memoryview(data)
        for start in range(0, len(view), BLOCK):
            block = view[start : start + BLOCK]
            with self.lock:
                self.free = max(self.free, time.monotonic()) + len(block) / self.rate
                wait = self.free - time.monotonic()
            time.sleep(max(0, wait))
            write(block)


class Host(http.server.ThreadingHTTPServer):
    """Serves one folder from memory; `line` may be changed between visits."""

    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"
        self.line = Line()
        self.sent = 0  # bytes of answers, with their headers
        self.requests = []
        self.lock = threading.Lock()
        self.files = {}
        for path in folder.rglob("*"):
            if path.is_file():
                self.files["/" + path.relative_to(folder).as_posix()] = stored(path)

    @contextmanager
    def serving(self):
        """Serve meanwhile."""
        thread = threading.Thread(target=self.serve_forever, daemon=True)
        thread.start()
        yield self
        self.shutdown()
        self.server_close()

    def forget(self):
        """Count from here."""
        with self.lock:
            self.sent, self.requests = 0, []

    def handle_error(self, request, client_address):
        """A browser that hangs up is no error."""


def stored(path):
    """Return (headers, body) of a file as it goes over the wire."""
    body = path.read_bytes()
    kind = TYPES.get(path.suffix, "application/octet-stream")
    headers = f'Content-Type: {kind}\r\nETag: "{hashlib.sha256(body).hexdigest()[:16]}"\r\n'
    if kind.startswith(GZIPPED):
        body = gzip.compress(body, GZIP_LEVEL, mtime=0)
        headers += "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
    return f"{headers}Cache-Control: max-age=600\r\n", body


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fresh = True  # no request on this connection yet

    def do_GET(self):
        """Send a file, 304 where the browser has it, or 404."""
        host = self.server
        path = self.path.partition("?")[0]
        path += "index.html" if path.endswith("/") else ""
        headers, body = host.files.get(path, ("", b""))
        status = "200 OK" if headers else "404 Not Found"
        etag = self.headers.get("If-None-Match")
        if etag and etag in headers:
            status, body = "304 Not Modified", b""
        head = f"HTTP/1.1 {status}\r\n{headers}"
        if not status.startswith("304"):
            head += f"Content-Length: {len(body)}\r\n"
        with host.lock:
            host.requests.append((path, status[:3], len(body)))
        time.sleep(host.line.round_trip * (1 + self.fresh))
        self.fresh = False
        host.line.send(self._write, head.encode() + b"\r\n" + body)

    def _write(self, data):
        """Write and count."""
        self.wfile.write(data)
        with self.server.lock:
            self.server.sent += len(data)

    def log_message(self, *arguments):
        """Stay quiet."""
