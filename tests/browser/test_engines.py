"""The core of what a visitor does, in Firefox and in WebKit.

The tests of an engine share one visit, since a start takes seconds, and end with its server gone.
An engine that is not installed is skipped, and the summary says which package has it.
"""

import pytest

from browser.digits import DIGITS
from browser.engines import window
from browser.hosts import hosting
from browser.test_parity import RECORD
from builder.engines import missing
from pynet import load, strokes_to_image
from pynet.nn.certainty import Certainty

DIGIT = "document.querySelector('[data-testid=prediction]').dataset.digit"
MODEL = "document.querySelector('[data-testid=model]')"
CLEAR = "document.querySelector('[data-testid=clear]')"


@pytest.fixture(scope="module", params=["Firefox", "WebKit"])
def visit(request, playwright, dist):
    """Return a page that is ready in one engine, and the server that it came from."""
    if reason := missing(request.param):
        pytest.skip(reason)
    with hosting(dist) as host, window(request.param, playwright, host.url) as page:
        page.open(host.url)
        page.wait_until_ready()
        page.evaluate(f"({RECORD})()")
        yield page, host


@pytest.fixture
def page(visit):
    """Return the page with an empty pad; nothing may go wrong in it meanwhile."""
    page, _ = visit
    if not page.evaluate(f"{CLEAR}.disabled"):
        page.click("clear")
    page.wait_for(DIGIT, "")
    page.evaluate("recorded.splice(0)")
    yield page
    assert page.problems() == []


def draw_and_check(page, repository, digit):
    """Draw a digit: it is read right, with the probabilities that CPython finds.

    CPython gets the places that the pointer events told, noted apart from the page's own code.
    """
    page.draw(DIGITS[digit][0])
    page.wait_for(DIGIT, str(digit))
    recorded = page.evaluate("recorded.splice(0)")
    assert len(recorded) == len(DIGITS[digit][0])
    network, metadata = load(repository / "weights" / f"{page.evaluate(f'{MODEL}.value')}.npz")
    expected = network.predict_proba(strokes_to_image(recorded)[None, :, :, None])
    page.expect_probabilities(Certainty.of(metadata).calibrate(expected)[0].tolist())


def test_starts_from_the_snapshot(page):
    """What Node or Chromium has made fits this engine too."""
    assert page.evaluate("document.documentElement.dataset.boot") == "snapshot"


@pytest.mark.parametrize("digit", range(10))
def test_mouse_draws_every_digit(page, repository, digit):
    """Each digit, drawn with the mouse, gets its name and the probabilities of CPython."""
    draw_and_check(page, repository, digit)


def test_undo_and_clear(page):
    """Undo takes back the last line and asks again; clear takes all."""
    page.draw(DIGITS[7][0])
    page.wait_for(DIGIT, "7")
    seven = page.probabilities()
    page.draw([[(0.1, 0.9), (0.9, 0.9)]])
    page.wait_for(f"{DIGIT} !== '' && {CLEAR}.disabled", False)
    page.click("undo")
    page.wait_for(DIGIT, "7")
    page.expect_probabilities(seven)
    page.click("clear")
    page.wait_for(DIGIT, "")
    assert page.evaluate(f"{CLEAR}.disabled")


def test_each_network_answers(page, repository):
    """Whichever network is chosen, the answer is its own."""
    names = page.evaluate(f"[...{MODEL}.options].map(option => option.value)")
    assert len(names) > 1
    for name in [*names[1:], names[0]]:
        page.choose("model", name)
        page.wait_for(f"{MODEL}.value", name)
        page.wait_until_ready()
        draw_and_check(page, repository, 3)
        page.click("clear")


def test_works_without_its_server_after_one_visit(page, visit, repository):
    """The page keeps itself; with the server stopped it opens and answers as before."""
    _, host = visit
    page.wait_for("Boolean(navigator.serviceWorker.controller)", True)
    host.stop()
    page.open(host.url)
    page.wait_until_ready()
    assert page.evaluate("document.documentElement.dataset.boot") == "snapshot"
    page.evaluate(f"({RECORD})()")
    draw_and_check(page, repository, 4)


@pytest.mark.parametrize("engine", ["Firefox", "WebKit"])
def test_starts_without_the_snapshot(engine, playwright, dist, repository):
    """Where the snapshot does not arrive, the page starts Python the ordinary way."""
    if reason := missing(engine):
        pytest.skip(reason)
    with hosting(dist) as host, window(engine, playwright, host.url) as page:
        host.breaks = lambda path: "/snapshot-" in path
        page.open(host.url)
        page.wait_until_ready()
        assert any("/snapshot-" in path for path in host.asked)
        assert page.evaluate("document.documentElement.dataset.boot") == "ordinary"
        page.evaluate(f"({RECORD})()")
        draw_and_check(page, repository, 6)
