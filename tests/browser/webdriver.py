"""WebKit by the W3C WebDriver protocol, with the standard library: JSON over HTTP, and no more than
these tests need.

Runs Debian's packages webkit2gtk-driver and xvfb: WebKitWebDriver starts WebKitGTK's MiniBrowser,
on a screen of its own, since without one a session never begins.

References
----------
W3C, WebDriver (https://www.w3.org/TR/webdriver2/): sections 8 (sessions), 13.2 (scripts, which may
return promises), 15 (actions).
"""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

from builder.engines import find_webkit

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's number, section 12.1
LIMIT = 120  # seconds for one answer; a script may wait for the page


class WebDriverError(Exception):
    """What the driver answered in place of a value."""


@contextlib.contextmanager
def webkit(width=1024, height=900):
    """Start WebKit with an empty profile and yield its Session."""
    driver, browser, screen = find_webkit()
    with contextlib.ExitStack() as stack:
        display = stack.enter_context(_screen(screen, width, height))
        port = _free_port()
        environment = {**os.environ, "DISPLAY": display, "GDK_BACKEND": "x11"}
        command = [driver, f"--port={port}"]
        stack.enter_context(_program(command, env=environment))
        options = {"binary": browser, "args": ["--automation"]}
        capabilities = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        url = f"http://127.0.0.1:{port}/session"
        _wait_for(port)
        started = _send("POST", url, {"capabilities": capabilities})
        session = Session(f"{url}/{started['sessionId']}")
        try:
            session.send("POST", "timeouts", {"script": 1000 * LIMIT, "pageLoad": 1000 * LIMIT})
            session.send("POST", "window/rect", {"x": 0, "y": 0, "width": width, "height": height})
            yield session
        finally:
            session.send("DELETE", "")


class Session:
    """One browser window.

    Parameters
    ----------
    url : str
        The session's address at the driver.
    """

    def __init__(self, url):
        self.url = url

    def send(self, method, path, body=None):
        """Send a command and return its value; WebDriverError with the driver's message."""
        return _send(method, f"{self.url}/{path}".rstrip("/"), body)

    def open(self, url):
        """Open a page and wait until it is loaded."""
        self.send("POST", "url", {"url": url})

    def evaluate(self, expression, *arguments):
        """Return the value of a JavaScript expression; `arguments` are its arguments[0], ..."""
        body = {"script": f"return {expression}", "args": list(arguments)}
        return self.send("POST", "execute/sync", body)

    def click(self, selector):
        """Click the middle of an element."""
        found = self.send("POST", "element", {"using": "css selector", "value": selector})
        self.send("POST", f"element/{found[ELEMENT]}/click", {})

    def draw(self, strokes):
        """Draw lines with the mouse; each point is (x, y) in the window, in CSS pixels."""
        actions = []
        for stroke in strokes:
            for index, (x, y) in enumerate(stroke):
                move = {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}
                actions.append({**move, "origin": "viewport"})
                if index == 0:
                    actions.append({"type": "pointerDown", "button": 0})
            actions.append({"type": "pointerUp", "button": 0})
        kind = {"pointerType": "mouse"}
        mouse = {"type": "pointer", "id": "mouse", "parameters": kind, "actions": actions}
        self.send("POST", "actions", {"actions": [mouse]})


def _send(method, url, body=None):
    """Return the value of the driver's answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=LIMIT + 30) as response:
            return json.load(response)["value"]
    except urllib.error.HTTPError as error:
        with error:
            value = json.load(error)["value"]
        raise WebDriverError(f"{value['error']}: {value['message']}") from None


@contextlib.contextmanager
def _program(command, **options):
    """Run a program meanwhile, without its output."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    process = subprocess.Popen(command, **quiet)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _screen(program, width, height):
    """Run Xvfb on the first number that is free and yield the display's name."""
    read, write = os.pipe()
    size = f"{max(width, 1280)}x{max(height, 1024)}x24"
    command = [program, "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    with _program(command, pass_fds=(write,)):
        os.close(write)
        with os.fdopen(read) as numbers:
            yield f":{numbers.readline().strip()}"


def _free_port():
    """Return a port that nobody uses at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port):
    """Wait until somebody listens at `port`."""
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise TimeoutError("WebKitWebDriver does not answer after 30 s") from None
            time.sleep(0.05)
