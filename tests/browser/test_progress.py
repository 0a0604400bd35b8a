"""The way to the first answer: paint, then Python; stages and bytes that are real."""

import re

from playwright.sync_api import expect

from browser.digits import DIGITS
from browser.hosts import hosting

# When something of Python was first asked for, and when the page was first painted: milliseconds of
# the clock that a page shares with its workers (High Resolution Time, section 3).
RUNTIME = """() => performance.getEntriesByType('resource')
    .filter(({name}) => name.includes('/runtime/') || name.endsWith('.py'))
    .map(({startTime}) => performance.timeOrigin + startTime)"""
PAINT = """() => performance.timeOrigin
    + performance.getEntriesByName('first-contentful-paint')[0].startTime"""


def test_first_paint_comes_before_python_is_asked_for(new_site, site):
    """What the visitor draws on is there before the first byte of Python is wanted."""
    page = new_site().open(site).expect_state("ready")
    asked = page.page.evaluate(RUNTIME)
    for worker in page.page.workers:
        asked += worker.evaluate(RUNTIME)
    assert len(asked) > 3
    assert page.page.evaluate(PAINT) < min(asked)


def test_drawing_before_python_has_come(new_site, site):
    """With no byte of Python there the pad takes ink; it is read when Python has come."""
    page = new_site()
    held, free = [], []
    page.page.route(
        "**/runtime/**", lambda route: route.continue_() if free else held.append(route)
    )
    page.open(site)
    page.draw(DIGITS[7][0])
    expect(page.page.get_by_test_id("undo")).to_be_enabled()
    page.expect_state("loading").expect_digit(None)
    free.append(True)
    for route in held:
        route.continue_()
    page.expect_state("ready").expect_digit(7)


def test_progress_is_of_real_bytes_and_never_falls(new_site, dist, watch):
    """The bar ends where all bytes are here, and the words count up to the same total."""
    page = new_site()
    page.page.add_init_script("""
        globalThis.seen = [];
        document.addEventListener('DOMContentLoaded', () => {
            const [bar, words] = ['progress', 'status'].map((id) => document.getElementById(id));
            const look = () => seen.push([bar.value, words.textContent]);
            new MutationObserver(look).observe(words, {childList: true, characterData: true});
            new MutationObserver(look).observe(bar, {attributes: true});
        });""")
    with hosting(dist) as host:
        host.pause = 0.01  # some seconds in all
        watch.origin = host.url
        page.open(host.url).expect_state("ready")
    seen = page.page.evaluate("seen")
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    counted = [re.fullmatch(r"Python: ([\d.]+)\sof\s([\d.]+)\sMB", text) for _, text in seen]
    counted = [(float(match[1]), float(match[2])) for match in counted if match]
    assert len(counted) > 3
    (total,) = {total for _, total in counted}
    done = [done for done, _ in counted]
    assert done == sorted(done)
    assert total > 5
    assert done[-1] > 0.5 * total  # the last reports may come within one frame of what follows


def test_choice_of_network_is_remembered(new_site, site):
    """The network that was chosen is chosen again at the next visit."""
    page = new_site().open(site).expect_state("ready")
    page.model.select_option("classic-relu")
    page.expect_state("ready")
    page.page.reload()
    page.expect_state("ready")
    expect(page.model).to_have_value("classic-relu")
