"""Draws digits as a visitor does and checks what the page answers."""

import random
import re
from math import cos, pi, sin

import numpy as np
import pytest
from playwright.sync_api import expect

from browser.conftest import STORE
from browser.digits import DIGITS

SEVEN = DIGITS[7][0]
ONE = DIGITS[1][0]


@pytest.mark.parametrize("digit", range(10))
def test_mouse_draws_every_digit(booted, digit):
    """Each style of each digit, drawn with the mouse, is read right."""
    for strokes in DIGITS[digit]:
        booted.draw(strokes)
        booted.expect_digit(digit)
        booted.clear()


@pytest.mark.parametrize("digit", range(10))
def test_finger_draws_every_digit(booted, digit):
    """Each digit, drawn with a finger, is read right."""
    booted.touch(DIGITS[digit][0])
    booted.expect_digit(digit)


def test_answer_is_shown_and_announced_alike(booted):
    """Digit, confidence, bars, the picture and the event tell the same answer."""
    booted.draw(SEVEN)
    booted.expect_digit(7)
    last = booted.answers()[-1]
    assert set(last) == {"digit", "probabilities", "refused", "milliseconds", "model"}
    assert last["digit"] == 7
    assert last["model"] == booted.model.input_value()
    assert last["milliseconds"] > 0
    assert booted.probabilities() == last["probabilities"]
    assert sum(last["probabilities"]) == pytest.approx(1, abs=1e-5)
    assert max(range(10), key=last["probabilities"].__getitem__) == 7
    expect(booted.confidence).to_contain_text("%")
    expect(booted.prediction).to_have_text("7")


def test_answers_come_while_drawing(booted):
    """The answer follows the pen before it is lifted."""
    mouse = booted.page.mouse
    mouse.move(*booted.place(0.3, 0.2))
    mouse.down()
    for step in range(1, 20):
        mouse.move(*booted.place(0.3 + 0.02 * step, 0.2))
    expect(booted.prediction).not_to_have_attribute("data-digit", "")
    mouse.up()


IMAGE = "canvas.getContext('2d').getImageData(0, 0, 28, 28)"
SEEN = f"canvas => Array.from({IMAGE}.data.filter((value, index) => index % 4 === 0))"


def test_a_dot_is_painted(booted):
    """A click without moving leaves a dot on the pad, where it was."""
    booted.draw([[(0.25, 0.5)]])
    expect(booted.prediction).not_to_have_attribute("data-digit", "")
    count = """canvas => { const {width, height} = canvas;
        const {data} = canvas.getContext("2d").getImageData(0, 0, width / 2, height);
        return data.filter((value, index) => index % 4 === 3 && value > 127).length; }"""
    assert booted.page.get_by_test_id("pad").evaluate(count) > 50


def test_ink_has_no_holes(booted):
    """A pen that turns sharply within a few pixels leaves solid ink along its way."""
    turns = random.Random(1)
    thinnest = """(canvas, stroke) => { const {width} = canvas;
        const {data} = canvas.getContext("2d").getImageData(0, 0, width, width);
        const near = [-2, -1, 0, 1, 2].flatMap((x) => [-2, -1, 0, 1, 2].map((y) => [x, y]));
        const ink = ([x, y]) => near.map(([dx, dy]) =>
            data[4 * (Math.round(y * width + dy) * width + Math.round(x * width + dx)) + 3]);
        return Math.min(...stroke.flatMap(ink)); }"""
    for _ in range(10):
        x = y = 0.5
        angle = turns.uniform(0, 2 * pi)
        stroke = [(x, y)]
        for _ in range(60):
            angle += turns.uniform(-3, 3) if turns.random() < 0.1 else turns.gauss(0, 0.35)
            step = turns.choice([0.002, 0.004, 0.01, 0.02])
            x = min(0.9, max(0.1, x + step * cos(angle)))
            y = min(0.9, max(0.1, y + step * sin(angle)))
            stroke.append((x, y))
        booted.draw([stroke])
        expect(booted.prediction).not_to_have_attribute("data-digit", "")
        assert booted.page.get_by_test_id("pad").evaluate(thinnest, stroke) > 200
        booted.clear()


def test_a_shaky_tap_is_a_dot(booted):
    """A tap that slides by a few pixels is seen as a dot, not scaled up to fill the image."""
    booted.draw([[(0.5, 0.5), (0.505, 0.502), (0.503, 0.506)]])
    expect(booted.prediction).not_to_have_attribute("data-digit", "")
    pixels = booted.page.get_by_test_id("seen").evaluate(SEEN)
    lit = [place for place, value in enumerate(pixels) if value > 127]
    assert lit
    assert max(place // 28 for place in lit) - min(place // 28 for place in lit) < 6


def test_seen_shows_the_picture_that_the_network_saw(booted):
    """The small view has ink where the drawing has, and none after clearing."""
    seen = booted.page.get_by_test_id("seen")
    booted.draw(SEVEN)
    booted.expect_digit(7)
    pixels = seen.evaluate(SEEN)
    assert len(pixels) == 784
    assert max(pixels) == 255
    rows = [row for row in range(28) if max(pixels[28 * row : 28 * row + 28]) > 127]
    assert rows[-1] - rows[0] + 1 in (19, 20, 21)
    booted.clear()
    assert max(seen.evaluate(SEEN)) == 0


def test_empty_pad_shows_no_digit(booted):
    """Without ink there is no digit, no confidence, no event and nothing to undo."""
    booted.expect_digit(None)
    expect(booted.prediction).to_have_text("")
    expect(booted.confidence).to_have_text("")
    assert booted.probabilities() == [0] * 10
    expect(booted.page.get_by_test_id("undo")).to_be_disabled()
    booted.page.get_by_test_id("pad").focus()
    booted.page.keyboard.press("Escape")
    assert booted.answers() == []


# What is no digit, as a visitor might draw it: to and fro, a star, a house, an A, an M.
NO_DIGITS = {
    "scribble": [[(0.2 + 0.6 * (n % 2), 0.25 + 0.04 * n) for n in range(13)]],
    "star": [
        [(0.5 + 0.35 * sin(4 * pi * n / 5), 0.5 - 0.35 * cos(4 * pi * n / 5)) for n in range(6)]
    ],
    "house": [
        [(0.2, 0.45), (0.5, 0.15), (0.8, 0.45), (0.8, 0.85), (0.2, 0.85), (0.2, 0.45), (0.8, 0.45)]
    ],
    "A": [[(0.2, 0.85), (0.5, 0.15), (0.8, 0.85)], [(0.32, 0.6), (0.68, 0.6)]],
    "M": [[(0.15, 0.85), (0.25, 0.15), (0.5, 0.7), (0.75, 0.15), (0.85, 0.85)]],
}


@pytest.mark.parametrize("name", NO_DIGITS)
def test_what_is_no_digit_is_refused(booted, name):
    """It is said in words, with the best guess and its bars still there."""
    booted.draw(NO_DIGITS[name])
    expect(booted.prediction).to_have_attribute("data-refused", "true")
    expect(booted.confidence).to_have_text(re.compile("^Does not look like a digit; best guess "))
    last = booted.answers()[-1]
    assert last["refused"] is True
    booted.expect_digit(last["digit"])
    expect(booted.prediction).to_have_text(str(last["digit"]))
    expect(booted.confidence).to_have_text(re.compile(f"{last['digit']}$"))
    assert sum(booted.probabilities()) == pytest.approx(1, abs=1e-5)
    announcer = booted.page.locator("#announcer")
    expect(announcer).to_have_text(re.compile("^Does not look like a digit"))


def test_a_digit_is_not_refused(booted):
    """After a scribble a digit is answered as ever, and an empty pad refuses nothing."""
    booted.draw(NO_DIGITS["scribble"])
    expect(booted.prediction).to_have_attribute("data-refused", "true")
    booted.clear()
    expect(booted.prediction).to_have_attribute("data-refused", "false")
    booted.draw(SEVEN)
    booted.expect_digit(7)
    expect(booted.prediction).to_have_attribute("data-refused", "false")
    expect(booted.confidence).to_have_text(re.compile("sure$"))
    assert booted.answers()[-1]["refused"] is False


def test_tap_is_ink(booted):
    """A dot is classified, not ignored and not an error."""
    booted.draw([[(0.5, 0.5)]])
    expect(booted.prediction).not_to_have_attribute("data-digit", "")


def test_undo_takes_back_one_stroke_at_a_time(booted):
    """Two strokes, two undos: back to the first answer, then to none."""
    booted.draw([ONE[0]])
    booted.expect_digit(1)
    booted.draw([[(0.1, 0.1), (0.9, 0.9)], [(0.9, 0.1), (0.1, 0.9)]])
    undo = booted.page.get_by_test_id("undo")
    undo.click()
    undo.click()
    booted.expect_digit(1)
    undo.click()
    booted.expect_digit(None)


def test_cleared_ink_is_never_answered(booted):
    """An answer that comes after its ink was cleared is dropped."""
    for _ in range(20):
        booted.page.mouse.move(*booted.place(0.5, 0.2))
        booted.page.mouse.down()
        booted.page.mouse.move(*booted.place(0.5, 0.8))
        # In one task: the question is asked, and the ink is gone before an answer can come.
        after = booted.page.evaluate(
            """async () => {
                const pad = document.querySelector('[data-testid=pad]');
                const box = pad.getBoundingClientRect();
                pad.dispatchEvent(new PointerEvent('pointermove', {
                    pointerId: 1, clientX: box.left + 99, clientY: box.top + 99, bubbles: true}));
                document.querySelector('[data-testid=clear]').click();
                const before = answers.length;
                for (let n = 0; n < 3; n++) await new Promise(requestAnimationFrame);
                return answers.length - before;
            }"""
        )
        assert after == 0
        booted.page.mouse.up()
        booted.expect_digit(None)


def test_only_one_pointer_draws(booted):
    """A second finger and the right button draw nothing."""
    session = booted.page.context.new_cdp_session(booted.page)
    (x, y), (u, v) = booted.place(0.5, 0.2), booted.place(0.1, 0.1)
    first = {"x": x, "y": y, "id": 1}
    second = {"x": u, "y": v, "id": 2}

    def send(kind, *points):
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": list(points)})

    send("touchStart", first)
    send("touchStart", first, second)
    for step in range(1, 11):
        first["y"] = y + 25 * step
        second["x"] = u + 25 * step
        send("touchMove", first, second)
    send("touchEnd")
    session.detach()
    booted.page.mouse.move(*booted.place(0.1, 0.9))
    booted.page.mouse.down(button="right")
    booted.page.mouse.move(*booted.place(0.9, 0.9))
    booted.page.mouse.up(button="right")
    strokes = booted.page.evaluate(
        f"{STORE}.then(store => store.get().strokes.map(s => s.map(p => p.x)))"
    )
    assert len(strokes) == 1
    assert max(strokes[0]) - min(strokes[0]) < 0.01
    booted.expect_digit(1)


def test_each_move_is_one_point(booted):
    """Where reports come both raw and in step with the screen, the line holds each one once."""
    shares = [0.2, 0.3, 0.45, 0.5, 0.6, 0.8]
    mouse = booted.page.mouse
    mouse.move(*booted.place(shares[0], 0.5))
    mouse.down()
    for share in shares[1:]:
        mouse.move(*booted.place(share, 0.5))
    mouse.up()
    expect(booted.page.get_by_test_id("prediction")).not_to_have_attribute("data-digit", "")
    strokes = booted.page.evaluate(
        f"{STORE}.then(store => store.get().strokes.map(s => s.map(p => p.x)))"
    )
    assert [len(stroke) for stroke in strokes] == [len(shares)]
    np.testing.assert_allclose(strokes[0], shares, atol=0.01)


def test_networks_are_switched_at_once(booted):
    """Another network answers about the same ink, and its name is in the event."""
    booted.draw(SEVEN)
    booted.expect_digit(7)
    names = [o.get_attribute("value") for o in booted.model.locator("option").all()]
    assert len(names) >= 3
    for name in [*names[1:], names[0]]:
        booted.model.select_option(name)
        booted.page.wait_for_selector("html[data-state=ready]")
        expect(booted.prediction).not_to_have_attribute("data-digit", "")
        assert booted.answers()[-1]["model"] == name


def test_drawing_works_before_python_is_there(new_site, site):
    """What is drawn while the page loads is classified when it is ready, without another event."""
    page = new_site().open(site)
    page.draw(SEVEN)
    assert page.root.get_attribute("data-state") == "loading"
    page.expect_digit(None)
    page.expect_state("ready").expect_digit(7)
    assert len(page.answers()) == 1


def test_cancelled_stroke_leaves_no_ink(booted):
    """When the system takes the pointer away, what it drew goes too."""
    session = booted.page.context.new_cdp_session(booted.page)
    x, y = booted.place(0.5, 0.2)
    point = {"x": x, "y": y}
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    point["y"] += 100
    session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchCancel", "touchPoints": []})
    session.detach()
    expect(booted.page.get_by_test_id("undo")).to_be_disabled()
    booted.expect_digit(None)
