"""The built site in real Chromium.

Any page error, console error, failed request or request to
another origin fails a test, but for what the test says it breaks on purpose.
"""

import fnmatch
import os
import re
import shutil
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

import build
from browser.hosts import hosting
from builder.addresses import logical

BOOT = 90_000  # milliseconds; usually 5 s, several times that on a loaded machine
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items):
    """Mark every test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """Return the folder of a site built for these tests."""
    folder = tmp_path_factory.mktemp("site") / "dist"
    build.build(folder)
    return folder


@contextmanager
def serving(folder):
    """Serve a folder with build.py's own server on a free port; yields the address."""
    server = build.make_server(folder, 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def site(dist):
    """Return the address at which the site is served."""
    with serving(dist) as url:
        yield url


@pytest.fixture
def copy_of_site(dist, tmp_path):
    """Return a copy of the site that a test may break."""
    return Path(shutil.copytree(dist, tmp_path / "dist"))


def chromium_path():
    """Return the Chromium that build.py chose, or the system's; None for Playwright's own."""
    found = os.environ.get("PYNET_CHROMIUM") or shutil.which("chromium")
    return found or None


@pytest.fixture(scope="session")
def playwright():
    """Return the one Playwright that a process may have."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright):
    """Return one Chromium for all tests."""
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--no-first-run",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other site can be reached
    ]
    chromium = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
    yield chromium
    chromium.close()


# In a page's text: the page's own module, whose address has a hash in it.
STORE = "import(new URL('store.js', document.querySelector('script[type=module]').src))"


def asset(site, name):
    """Return a predicate for the address of a file, named as before the build; * as in globs."""

    def wanted(url):
        path = url.removeprefix(site).partition("?")[0]
        return url.startswith(site) and fnmatch.fnmatchcase(logical(path), name)

    return wanted


class Watch:
    """What went wrong in a page, less what the test expects."""

    def __init__(self, origin):
        self.origin = origin
        self.problems = []
        self.allowed = []

    def attach(self, context):
        """Follow all pages and workers of a browser context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"page error: {error.error}"))
        context.on("request", self._request)
        context.on("requestfailed", self._failed)
        context.on("response", self._response)

    def allow(self, pattern):
        """Expect problems that contain this regular expression."""
        self.allowed.append(re.compile(pattern))

    def check(self):
        """Fail for each problem that was not expected, and forget them all."""
        problems, self.problems = self.problems, []
        unexpected = [p for p in problems if not any(each.search(p) for each in self.allowed)]
        assert not unexpected, "\n".join(unexpected)

    def _console(self, message):
        if message.type == "error":
            self.problems.append(f"console: {message.text}")

    def _failed(self, request):
        self.problems.append(f"request failed: {request.url} {request.failure}")

    def _response(self, response):
        if response.status >= 400:
            self.problems.append(f"response: {response.status} {response.url}")

    def _request(self, request):
        if not request.url.startswith((self.origin, "blob:")):
            self.problems.append(f"foreign request: {request.url}")


@pytest.fixture
def watch(site):
    """Return the watch over this test's own pages; checked at its end."""
    watch = Watch(site)
    yield watch
    watch.check()


@pytest.fixture
def new_page(browser, watch):
    """Return a function that opens a watched page in a context of its own."""
    contexts = []

    def open_page(**options):
        # What a service worker keeps would answer in place of a server that a test breaks.
        context = browser.new_context(**{"service_workers": "block", **options})
        contexts.append(context)
        watch.attach(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        for page in context.pages:  # a request may come while a handler of the test is leaving
            page.unroute_all(behavior="ignoreErrors")
        context.unroute_all(behavior="ignoreErrors")
        context.close()


class Site:
    """The page as a visitor uses it, and its public hooks."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator("html")
        self.pad = page.get_by_test_id("pad")
        self.prediction = page.get_by_test_id("prediction")
        self.confidence = page.get_by_test_id("confidence")
        self.status = page.get_by_test_id("status")
        self.model = page.get_by_test_id("model")
        self.retry = page.get_by_role("button", name="Retry")

    def open(self, url):
        """Open the page and collect its answers from the start."""
        self.page.add_init_script(
            "window.answers = [];"
            "document.addEventListener('pynet:prediction', ({detail}) => answers.push(detail))"
        )
        self.page.goto(url)
        return self

    def expect_state(self, state, timeout=BOOT):
        """Wait until the page is loading, ready or failed."""
        expect(self.root).to_have_attribute("data-state", state, timeout=timeout)
        return self

    def expect_digit(self, digit):
        """Wait until the page shows this digit; None stands for none."""
        text = "" if digit is None else str(digit)
        expect(self.prediction).to_have_attribute("data-digit", text)

    def place(self, x, y):
        """Return the place in the window of a point on the pad."""
        return self.places([(x, y)])[0]

    def places(self, stroke):
        """Return the places in the window of the points of a stroke."""
        box = self.pad.bounding_box()
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]

    def draw(self, strokes):
        """Draw with the mouse."""
        mouse = self.page.mouse
        for stroke in strokes:
            first, *rest = self.places(stroke)
            mouse.move(*first)
            mouse.down()
            for point in rest:
                mouse.move(*point)
            mouse.up()

    def touch(self, strokes):
        """Draw with a finger."""
        session = self.page.context.new_cdp_session(self.page)

        def send(kind, *places):
            points = [{"x": x, "y": y} for x, y in places]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        for stroke in strokes:
            first, *rest = self.places(stroke)
            send("touchStart", first)
            for point in rest:
                send("touchMove", point)
            send("touchEnd")
        session.detach()

    def clear(self):
        """Take all ink away, as a visitor does."""
        self.page.get_by_test_id("clear").click()
        self.expect_digit(None)

    def answers(self):
        """Return the details of all pynet:prediction events so far."""
        return self.page.evaluate("window.answers")

    def expect_probabilities(self, expected):
        """Wait until the ten bars say this, within 1e-5."""
        deadline = time.monotonic() + 15
        while self.probabilities() != pytest.approx(expected, abs=1e-5):
            assert time.monotonic() < deadline, f"{self.probabilities()} instead of {expected}"
            self.page.evaluate("new Promise(requestAnimationFrame)")

    def probabilities(self):
        """Return what the ten bars say."""
        bars = self.page.get_by_test_id("probability").all()
        assert [bar.get_attribute("data-digit") for bar in bars] == [str(k) for k in range(10)]
        return [float(bar.get_attribute("data-probability")) for bar in bars]


@pytest.fixture
def new_site(new_page):
    """Return a function that gives the page, not yet opened, in a context of its own."""
    return lambda **options: Site(new_page(**options))


@pytest.fixture(scope="session")
def booted_once(browser, site):
    """Return a page that is ready, and the watch over it; shared, since a start takes seconds."""
    watch = Watch(site)
    context = browser.new_context(
        viewport={"width": 1024, "height": 900}, has_touch=True, service_workers="block"
    )
    watch.attach(context)
    page = Site(context.new_page()).open(site).expect_state("ready")
    yield page, watch
    context.close()


@pytest.fixture
def booted(booted_once):
    """Return the shared page, ready, with an empty pad and the default network."""
    page, watch = booted_once
    page.page.set_viewport_size({"width": 1024, "height": 900})
    page.page.emulate_media(color_scheme="light")
    page.page.mouse.move(0, 0)
    if page.page.get_by_test_id("clear").is_enabled():
        page.clear()
    first = page.model.locator("option").first.get_attribute("value")
    if page.model.input_value() != first:
        page.model.select_option(first)
        page.expect_state("ready")
    page.page.evaluate("window.answers.length = 0")
    yield page
    watch.check()


@pytest.fixture
def host(dist):
    """Return a server of the site that can be stopped and given another folder."""
    with hosting(dist) as host:
        yield host


@pytest.fixture
def visitor(browser, host):
    """Return a function that opens tabs of one visitor; nothing may go wrong unseen in them."""
    context = browser.new_context()
    watch = Watch(host.url)
    watch.attach(context)
    context.info = []
    context.on("console", lambda each: "offline use" in each.text and context.info.append(each))

    def open_tab():
        return Site(context.new_page()).open(host.url)

    open_tab.context, open_tab.watch = context, watch
    yield open_tab
    context.close()
    watch.check()


@pytest.fixture
def tampered(browser, copy_of_site):
    """Return a function that opens a copy of the site with files changed; `said` is its console.

    `changes` maps names of files, as before the build, to functions of their bytes; no bytes at all
    take the file away. Of a file that is stored twice the packed one is changed: the server here
    does not compress.
    """
    with ExitStack() as stack:

        def open_with(changes):
            for name, change in changes.items():
                *_, path = sorted(
                    path
                    for path in copy_of_site.rglob("*")
                    if fnmatch.fnmatch(logical(path.relative_to(copy_of_site).as_posix()), name)
                )
                data = change(path.read_bytes())
                path.unlink() if data is None else path.write_bytes(data)
            url = stack.enter_context(serving(copy_of_site))
            watch = Watch(url)
            watch.allow("response: 404|console: Failed to load resource")
            stack.callback(watch.check)
            context = browser.new_context(service_workers="block")
            stack.callback(context.close)
            watch.attach(context)
            page = Site(context.new_page())
            page.said = []
            page.page.on("console", lambda message: page.said.append(message.text))
            return page.open(url).expect_state("ready", timeout=200_000)

        yield open_with
