"""One visitor's window in Firefox or WebKit, with the same few commands in both.

Chromium's tests use Playwright's own. Playwright drives Debian's Firefox too, by WebDriver BiDi,
but no WebKit that Debian has.
"""

import time
from contextlib import contextmanager

import pytest

from browser import webdriver
from browser.conftest import BOOT, Watch
from builder.engines import find_firefox

# What goes wrong after the page is loaded, while Python starts and later, where no driver tells.
COLLECT = """(() => {
    window.problems = [];
    addEventListener('error', event => problems.push(event.message || `${event.target}`), true);
    addEventListener('unhandledrejection', event => problems.push(`${event.reason}`));
    const {error} = console;
    console.error = (...words) => { problems.push(words.join(' ')); error(...words); };
})()"""


class Window:
    """What a visitor does, and what a test asks the page."""

    def wait_for(self, expression, expected, seconds=BOOT / 1000):
        """Wait until a JavaScript expression has the expected value."""
        end = time.monotonic() + seconds
        while (found := self.evaluate(expression)) != expected:
            assert time.monotonic() < end, f"{expression}: {found} instead of {expected}"
            time.sleep(0.05)

    def wait_until_ready(self):
        """Wait until the page can answer; an error that it shows ends the wait."""
        state = "document.documentElement.dataset.state"
        status = "document.querySelector('[data-testid=status]').textContent"
        self.wait_for(f"{state} === 'loading'", False)
        assert self.evaluate(state) == "ready", self.evaluate(status)

    def draw(self, strokes):
        """Draw on the pad with the mouse; points are in 0..1."""
        pad = "document.querySelector('[data-testid=pad]')"
        self.evaluate(f"{pad}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
        x, y, width, height = self.evaluate(
            f"(({{x, y, width, height}}) => [x, y, width, height])({pad}.getBoundingClientRect())"
        )
        self.draw_at([[(x + px * width, y + py * height) for px, py in s] for s in strokes])

    def probabilities(self):
        """Return what the ten bars say."""
        bars = "[...document.querySelectorAll('[data-testid=probability]')]"
        return self.evaluate(f"{bars}.map(bar => Number(bar.dataset.probability))")

    def expect_probabilities(self, expected, seconds=15):
        """Wait until the ten bars say this, within 1e-5."""
        end = time.monotonic() + seconds
        while (found := self.probabilities()) != pytest.approx(expected, abs=1e-5):
            assert time.monotonic() < end, f"{found} instead of {expected}"
            time.sleep(0.05)


class Firefox(Window):
    """A Firefox that Playwright drives."""

    def __init__(self, page, watch):
        self.page, self.watch = page, watch

    def open(self, url):
        """Open a page."""
        self.page.goto(url)

    def evaluate(self, expression, *values):
        """Return the value of an expression, in which arguments[0], ... are the values."""
        function = f"list => (function () {{ return {expression}; }}).apply(null, list)"
        return self.page.evaluate(function, list(values))

    def click(self, test_id):
        """Click an element."""
        self.page.get_by_test_id(test_id).click()

    def choose(self, test_id, value):
        """Choose an entry of a list."""
        self.page.get_by_test_id(test_id).select_option(value)

    def draw_at(self, strokes):
        """Draw with the mouse; points are places in the window."""
        mouse = self.page.mouse
        for first, *rest in strokes:
            mouse.move(*first)
            mouse.down()
            for point in rest:
                mouse.move(*point)
            mouse.up()

    def problems(self):
        """Return what went wrong."""
        return self.watch.problems


class WebKit(Window):
    """A WebKit that is driven by WebDriver."""

    def __init__(self, session):
        self.session = session
        self.evaluate = session.evaluate
        self.draw_at = session.draw

    def open(self, url):
        """Open a page."""
        self.session.open(url)
        self.evaluate(COLLECT)

    def click(self, test_id):
        """Click an element."""
        self.session.click(f"[data-testid={test_id}]")

    def choose(self, test_id, value):
        """Choose an entry of a list."""
        self.session.click(f"[data-testid={test_id}] option[value='{value}']")

    def problems(self):
        """Return what went wrong."""
        return self.evaluate("window.problems")


@contextmanager
def window(engine, playwright, origin):
    """Start an engine with an empty profile and yield its Window."""
    if engine == "WebKit":
        with webdriver.webkit() as session:
            yield WebKit(session)
        return
    browser = playwright.firefox.launch(channel="moz-firefox", executable_path=find_firefox())
    context = browser.new_context(viewport={"width": 1024, "height": 900})
    watch = Watch(origin)
    watch.attach(context)
    yield Firefox(context.new_page(), watch)
    browser.close()
