"""The same drawings through CPython and through the page."""

import pytest

from browser.conftest import STORE
from browser.digits import drawings
from pynet import load, strokes_to_image
from pynet.nn.certainty import Certainty, evidence

COUNT = 200

# Draws through the page's own store, which leads to the same code as a pointer event.
DRAW = f"""async strokes => {{
    const store = await {STORE};
    const answer = new Promise(resolve => document.addEventListener(
        'pynet:prediction', ({{detail}}) => resolve(detail), {{once: true}}));
    const now = store.get();
    store.set({{
        strokes: strokes.map(stroke => stroke.map(([x, y]) => ({{x, y}}))),
        drawing: now.drawing + 1, inkTime: performance.now(), answer: null,
    }});
    return await answer;
}}"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("position", range(4))
def test_page_and_cpython_agree(booted, repository, position):
    """200 drawings: the same digit, and probabilities within 1e-5, for each shipped network."""
    option = booted.model.locator("option").nth(position)
    name = option.get_attribute("value")
    booted.model.select_option(name)
    booted.expect_state("ready")
    network, metadata = load(repository / "weights" / f"{name}.npz")
    certainty = Certainty.of(metadata)
    for _digit, strokes in drawings(COUNT if position == 0 else 50, seed=7):
        shown = booted.page.evaluate(DRAW, strokes)
        image = strokes_to_image(strokes)
        expected = certainty.calibrate(network.predict_proba(image[None, :, :, None]))
        assert shown["model"] == name
        assert shown["digit"] == int(expected[0].argmax())
        assert shown["probabilities"] == pytest.approx(expected[0].tolist(), abs=1e-5)
        if abs(evidence(expected)[0] - certainty.threshold) > 1e-3:  # else rounding may decide
            assert shown["refused"] == certainty.refuses(expected)[0]


# Notes down where pointers were on the pad, apart from the page's own code.
RECORD = """() => {
    window.recorded = [];
    const pad = document.querySelector('[data-testid=pad]');
    const note = event => recorded.at(-1).push([event.clientX, event.clientY]);
    pad.addEventListener('pointerdown', event => { recorded.push([]); note(event); });
    pad.addEventListener('pointermove', event => {
        if (event.buttons) event.getCoalescedEvents().forEach(note);
    });
}"""


def test_mouse_strokes_give_the_answer_of_cpython(booted, repository):
    """20 drawings by mouse: the page shows what CPython says of the recorded pointer events."""
    network, metadata = load(repository / "weights" / f"{booted.model.input_value()}.npz")
    certainty = Certainty.of(metadata)
    booted.page.evaluate(RECORD)
    for _digit, strokes in drawings(20, seed=11):
        booted.draw(strokes)
        recorded = booted.page.evaluate("recorded.splice(0)")
        assert len(recorded) == len(strokes)
        expected = network.predict_proba(strokes_to_image(recorded)[None, :, :, None])
        booted.expect_probabilities(certainty.calibrate(expected)[0].tolist())
        booted.clear()
