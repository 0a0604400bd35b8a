"""A Chromium of one's own, driven over the DevTools pipe with the standard library alone.

For measuring the start of a page: nothing of DevTools is switched on but what opens a page and
asks it for a value. A driver that watches the network, as Playwright's does, pauses each worker at
its start and keeps copies of what is fetched in the memory that is to be measured.

References
----------
Chrome DevTools Protocol, https://chromedevtools.github.io/devtools-protocol/: JSON messages, each
ended by a zero byte, from file descriptor 3 of the browser and to its descriptor 4.
"""

import fcntl
import json
import os
import select
import subprocess
import sys
import time

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-default-apps"),
    *("--disable-sync", "--window-size=1024,900", "--remote-debugging-pipe"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other site can be reached
)
# Puts the two pipes where Chromium looks for them, then becomes Chromium.
BECOME = """\
import os, sys
for pipe, place in ((int(sys.argv[1]), 3), (int(sys.argv[2]), 4)):
    os.dup2(pipe, place)
    os.close(pipe)
os.execv(sys.argv[3], sys.argv[3:])
"""
LIMIT = 180  # seconds that an answer may take


class Chromium:
    """One browser with a profile folder; a context manager that ends it."""

    def __init__(self, executable, profile):
        theirs_in, self.pipe_out = map(_high, os.pipe())
        self.pipe_in, theirs_out = map(_high, os.pipe())
        command = [sys.executable, "-E", "-S", "-c", BECOME, str(theirs_in), str(theirs_out)]
        self.process = subprocess.Popen(
            [*command, executable, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.received, self.calls = b"", 0
        self.version = self.call("Browser.getVersion")["product"].replace("/", " ")
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self.page = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self.call("Page.enable", self.page)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self.call("Browser.close")  # writes what its caches still hold
            self.process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.pipe_in)
        os.close(self.pipe_out)

    def call(self, method, session=None, **parameters):
        """Send a command and return its result; OSError where the browser is gone or silent."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.pipe_out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + LIMIT
        while True:
            answer = self._message(end)
            if answer.get("id") == self.calls:
                if "error" in answer:
                    raise OSError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def _message(self, end):
        """Return the next message."""
        while b"\0" not in self.received:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.pipe_in], [], [], left)[0]:
                raise TimeoutError(f"Chromium did not answer within {LIMIT} s")
            data = os.read(self.pipe_in, 1 << 16)
            if not data:
                raise EOFError("Chromium has ended")
            self.received += data
        message, self.received = self.received.split(b"\0", 1)
        return json.loads(message)

    def before_each_page(self, script):
        """Run a script in each page that is opened, before the page's own."""
        self.call("Page.addScriptToEvaluateOnNewDocument", self.page, source=script)

    def open(self, url):
        """Navigate; returns as soon as the new page is there."""
        answer = self.call("Page.navigate", self.page, url=url)
        if problem := answer.get("errorText"):
            raise OSError(f"{url}: {problem}")

    def evaluate(self, expression):
        """Return the value of an expression, or of the promise that it is."""
        asked = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.call("Runtime.evaluate", self.page, **asked)
        if "exceptionDetails" in answer:
            raise OSError(str(answer["exceptionDetails"].get("exception", answer)))
        return answer["result"].get("value")


def _high(descriptor):
    """Move a file descriptor away from the numbers 3 and 4; not inherited."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return moved
