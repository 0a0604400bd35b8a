"""A server of the site for this machine alone; any other static server will do as well."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import sys
import threading
import webbrowser
from pathlib import Path

from builder.addresses import HASHED
from builder.console import BuildError, describe, say, shown


def serve(folder: Path, port: int | None, *, open_browser: bool) -> None:
    """Serve `folder` on loopback until Ctrl-C."""
    server = make_server(folder, port)
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    say(f"serving {shown(folder)} at {url}  (Ctrl-C stops it)")
    # Without a display `webbrowser` may start one in this terminal.
    display = sys.platform != "linux" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    if open_browser and display:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    with server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    say("\nstopped")


def make_server(folder: Path, port: int | None) -> http.server.ThreadingHTTPServer:
    """Return a server of `folder` on `port`; without one on 8000, or on a free one."""
    if port is not None and not 0 <= port <= 65535:
        raise BuildError(f"--port must be in 0..65535, got {port}")
    handler = functools.partial(Handler, directory=str(folder))
    for number in (8000, 0) if port is None else (port,):
        try:
            return Server(("127.0.0.1", number), handler)
        except OSError as error:
            problem = error
    raise BuildError(f"port {port}: {describe(problem)}; name another, or none for a free one")


class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; a browser that hangs up is no error."""

    # Elsewhere it lets a port in TIME_WAIT be used again; on Windows it would share one in use.
    allow_reuse_address = os.name != "nt"
    allow_reuse_port = False
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what a handler raised, but for a connection that was cut."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


TEXT = "text/{}; charset=utf-8"
MIME_TYPES = {
    **{".html": TEXT.format("html"), ".css": TEXT.format("css"), ".txt": TEXT.format("plain")},
    **{".js": TEXT.format("javascript"), ".mjs": TEXT.format("javascript")},
    **{".py": TEXT.format("x-python"), ".json": "application/json", ".wasm": "application/wasm"},
    **{".svg": "image/svg+xml", ".png": "image/png", ".webmanifest": "application/manifest+json"},
    **{".zip": "application/zip", ".whl": "application/zip", ".npz": "application/octet-stream"},
    **{".gz": "application/gzip", ".md": TEXT.format("markdown")},
}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files with the types that modules and wasm need, never from a browser's cache."""

    protocol_version = "HTTP/1.1"  # keeps connections open
    timeout = 60  # seconds of silence until a kept connection is closed
    # Complete for what dist/ holds: the system's own table may call .js text/plain (Windows).
    extensions_map = MIME_TYPES

    def end_headers(self) -> None:
        """Add what every answer carries."""
        # What has a hash in its name never changes; the rest must not stay that of an older build.
        forever = HASHED.search(self.path.partition("?")[0]) and self.status == 200
        caching = "public, max-age=31536000, immutable" if forever else "no-cache"
        self.send_header("Cache-Control", caching)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def send_response(self, code: int, message: str | None = None) -> None:
        """Remember the status, on which caching depends."""
        self.status = code
        super().send_response(code, message)

    def send_header(self, keyword: str, value: str) -> None:
        """Leave out the date: counted in seconds, it takes a file for the one before a rebuild."""
        if keyword != "Last-Modified":
            super().send_header(keyword, value)

    def list_directory(self, path: str) -> None:
        """Answer 404, as GitHub Pages does, where a folder has no index.html."""
        self.send_error(404, "Not found")

    def log_message(self, *arguments: object) -> None:
        """Stay quiet: the page reports its own failures."""
