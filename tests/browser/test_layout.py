"""Looks, reach and accessibility: widths, themes, keyboard, touch, axe-core."""

from importlib.resources import files

import pytest
from playwright.sync_api import expect

from browser.conftest import STORE, asset
from browser.digits import DIGITS

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
WIDTHS = {320: 640, 768: 1024, 1440: 900}

VIOLATIONS = """async () => {
    const {violations} = await axe.run(document, {resultTypes: ['violations']});
    return violations.flatMap(({id, help, nodes}) =>
        nodes.map(({html, failureSummary}) => `${id}: ${help}: ${html} ${failureSummary}`));
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(booted, width, scheme):
    """axe-core, in each width and theme, with and without ink."""
    booted.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    booted.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    booted.page.evaluate(AXE)
    assert booted.page.evaluate(VIOLATIONS) == []
    booted.draw(DIGITS[8][0])
    booted.expect_digit(8)
    assert booted.page.evaluate(VIOLATIONS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_loading_and_after_a_failure(new_site, site, watch, scheme):
    """The page that loads and the page that failed are as accessible as the one that is ready."""
    watch.allow("console: |response: 404|request failed")
    page = new_site(color_scheme=scheme, viewport={"width": 320, "height": 640})
    page.page.route(asset(site, "weights/index.json"), lambda route: route.fulfill(status=404))
    page.open(site)
    page.page.evaluate(AXE)
    assert page.page.evaluate(VIOLATIONS) == []
    page.expect_state("error")
    assert page.page.evaluate(VIOLATIONS) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_sideways_scrolling_and_a_square_pad(booted, width):
    """The page fits its window, the pad is square and sharp, and targets are large enough."""
    booted.page.set_viewport_size({"width": width, "height": WIDTHS[width]})
    root = booted.page.evaluate(
        "(({scrollWidth, clientWidth}) => [scrollWidth, clientWidth])(document.documentElement)"
    )
    assert root[0] <= root[1]
    box = booted.pad.bounding_box()
    assert abs(box["width"] - box["height"]) < 1
    assert box["width"] >= 0.35 * width or box["width"] >= 480
    for target in (*booted.page.get_by_role("button").all(), booted.model):
        if target.is_visible():
            assert target.bounding_box()["height"] >= 44


def test_small_phone_shows_pad_answer_and_bars_together(booted):
    """On 320 by 640 the pad, the answer and the bars need no more than a little scrolling."""
    booted.page.set_viewport_size({"width": 320, "height": 640})
    top = booted.pad.bounding_box()["y"]
    bars = booted.page.get_by_test_id("probability").last.bounding_box()
    assert bars["y"] + bars["height"] - top <= 640


@pytest.mark.parametrize("ratio", [1, 2, 3])
def test_canvas_is_sharp(new_site, site, ratio):
    """The canvas has one pixel for each pixel of the screen, also after a resize."""
    page = new_site(device_scale_factor=ratio, viewport={"width": 800, "height": 700}).open(site)
    for width in (800, 500):
        page.page.set_viewport_size({"width": width, "height": 700})
        expected = round(page.pad.bounding_box()["width"] * ratio)
        expect(page.pad).to_have_js_property("width", expected)


def test_layout_does_not_move_as_answers_come(booted):
    """The pad, the bars and the list of networks stay where they are."""
    parts = ("pad", "seen", "model", "clear")
    before = [booted.page.get_by_test_id(part).bounding_box() for part in parts]
    booted.draw(DIGITS[5][0])
    booted.expect_digit(5)
    assert [booted.page.get_by_test_id(part).bounding_box() for part in parts] == before


def test_finger_on_the_pad_does_not_scroll_but_beside_it_does(new_site, site):
    """Touch draws on the pad and scrolls the page everywhere else."""
    page = new_site(viewport={"width": 320, "height": 480}, has_touch=True, is_mobile=True)
    page.open(site)
    page.touch([[(0.5, 0.9 - 0.08 * step) for step in range(11)]])
    assert page.page.evaluate("scrollY") == 0
    session = page.page.context.new_cdp_session(page.page)
    for step in range(21):
        kind = "touchMove" if step else "touchStart"
        point = {"x": 160, "y": 460 - 15 * step}
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
        page.page.evaluate("new Promise(requestAnimationFrame)")
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.page.evaluate("scrollY") > 50
    strokes = page.page.evaluate(f"{STORE}.then(store => store.get().strokes.length)")
    assert strokes == 1


def test_keyboard_reaches_and_draws(booted):
    """Tab comes to the pad; arrows and Space draw a 1; the shortcuts take it back."""
    keyboard = booted.page.keyboard
    booted.model.focus()
    keyboard.press("Shift+Tab")
    expect(booted.pad).to_be_focused()
    for _ in range(6):
        keyboard.press("ArrowUp")
    keyboard.press("Space")
    expect(booted.page.locator("#announcer")).to_have_text("Pen down")
    for _ in range(12):
        keyboard.press("ArrowDown")
    keyboard.press("Space")
    booted.expect_digit(1)
    expect(booted.page.locator("#announcer")).to_contain_text("Looks like 1")
    keyboard.press("ArrowRight")
    keyboard.press("Space")
    keyboard.press("Space")
    keyboard.press("Control+z")
    booted.expect_digit(1)
    keyboard.press("Escape")
    booted.expect_digit(None)
    assert booted.page.evaluate("scrollY") == 0
    for name in ("undo", "clear"):
        expect(booted.page.get_by_test_id(name)).to_be_disabled()
    keyboard.press("Tab")
    expect(booted.model).to_be_focused()


@pytest.mark.parametrize("name", ["undo", "clear"])
def test_focus_stays_with_the_drawing(booted, name):
    """A button that takes the last ink away hands the focus to the pad; else it keeps it."""
    booted.draw([[(0.5, 0.2), (0.5, 0.8)]] * 2)
    button = booted.page.get_by_test_id(name)
    button.focus()
    booted.page.keyboard.press("Enter")
    if name == "undo":
        expect(button).to_be_focused()
        booted.page.keyboard.press("Enter")
    expect(button).to_be_disabled()
    expect(booted.pad).to_be_focused()


def test_mouse_puts_the_keyboards_pen_away(booted):
    """The cross hair goes when a pointer draws, and comes back with the next arrow."""
    shown = f"{STORE}.then(store => store.get().pen.shown)"
    booted.pad.focus()
    booted.page.keyboard.press("ArrowUp")
    assert booted.page.evaluate(shown)
    booted.draw([[(0.5, 0.2), (0.5, 0.8)]])
    assert not booted.page.evaluate(shown)
    booted.page.keyboard.press("ArrowUp")
    assert booted.page.evaluate(shown)
