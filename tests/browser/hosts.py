"""Servers of a site that a test can kill, replace and break while a browser uses them."""

import functools
import gzip
import re
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from builder.server import Handler, Server

# What GitHub Pages compresses on the way.
COMPRESSED = re.compile(r"^$|\.(html|css|js|mjs|json|py|svg|wasm)$")


class Host:
    """A site at one address: whatever folder is served there, or nothing at all."""

    def __init__(self):
        self.asked = []  # paths without query, in order
        self.breaks = lambda path: False  # whether to hang up instead of answering
        self.headers = lambda path: {}  # more headers for a file
        self.pause = 0  # seconds before each 64 kB of a file
        self.compresses = None  # what it compresses on the way, as a pattern of paths
        self._server = None
        self._port = 0

    @property
    def url(self):
        """The address of the site."""
        return f"http://127.0.0.1:{self._port}/"

    def serve(self, folder):
        """Serve another folder at the same address from now on."""
        self.stop()
        self._server = _Server(
            ("127.0.0.1", self._port), functools.partial(_Handler, self, directory=str(folder))
        )
        self._port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def stop(self):
        """Be gone: the port is closed, and so is each connection."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None


class _Server(Server):
    def __init__(self, *arguments):
        self.connections = set()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def cut(self):
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed already
                continue


class _Handler(Handler):
    def __init__(self, host, *arguments, **options):
        self.host = host
        super().__init__(*arguments, **options)

    def do_GET(self):  # noqa: N802 (the base class calls it so)
        path = self.path.partition("?")[0].lstrip("/")
        self.host.asked.append(path)
        if self.host.breaks(path):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif self.host.compresses and self.host.compresses.search(path):
            self.send_compressed(path or "index.html")
        else:
            super().do_GET()

    def copyfile(self, source, outputfile):
        """Send a file in pieces, with time between them."""
        while piece := source.read(1 << 16):
            time.sleep(self.host.pause)
            outputfile.write(piece)

    def send_compressed(self, path):
        """Send a file as gzip, for the browser to undo."""
        body = gzip.compress((Path(self.directory) / path).read_bytes(), 1)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self):
        for name, value in self.host.headers(self.path.partition("?")[0].lstrip("/")).items():
            self.send_header(name, value)
        super().end_headers()


@contextmanager
def hosting(folder):
    """Serve a folder; yields the Host."""
    host = Host().serve(folder)
    try:
        yield host
    finally:
        host.stop()
