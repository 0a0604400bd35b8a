// @ts-check
/** Turns pointer events on the pad (mouse, finger, pen) into strokes; knows no drawing and no state. */

import { toPad } from "./geometry.js";

/** @typedef {import("./store.js").Point} Point */

/**
 * Listen to one pointer at a time: while it draws, a second finger or a resting palm is ignored.
 * @param {HTMLElement} pad
 * @param {object} handlers
 * @param {(point: Point, time: number) => void} handlers.begin A stroke begins.
 * @param {(points: readonly Point[], time: number) => void} handlers.extend It goes on.
 * @param {() => void} handlers.cancel The system took the pointer away: it was no stroke.
 */
export function listen(pad, { begin, extend, cancel }) {
  /** @type {number | null} */
  let active = null;

  /** @param {PointerEvent} event @param {DOMRect} box */
  const place = (event, box) => toPad(event.clientX, event.clientY, box);

  pad.addEventListener("pointerdown", (event) => {
    if (active !== null || event.button !== 0) return;
    active = event.pointerId;
    pad.setPointerCapture(event.pointerId);
    begin(place(event, pad.getBoundingClientRect()), event.timeStamp);
  });

  /** @param {Event} event */
  const move = (event) => {
    if (!(event instanceof PointerEvent) || event.pointerId !== active) return;
    // A pen may report more often than events are sent: the reports between come coalesced.
    const events = event.getCoalescedEvents?.() ?? [];
    const box = pad.getBoundingClientRect();
    extend((events.length ? events : [event]).map((each) => place(each, box)), event.timeStamp);
  };
  // Browsers hold pointermove back until the screen's next frame, 8 ms on average at 60 Hz. Where
  // there is pointerrawupdate (Chromium, on https and localhost) the same reports come at once
  // (Pointer Events Level 3, section 3.2.4), so pointermove brings nothing more. Their times tell no
  // two reports apart: Firefox and WebKit count whole milliseconds.
  const raw = "onpointerrawupdate" in window;
  pad.addEventListener(raw ? "pointerrawupdate" : "pointermove", move);

  pad.addEventListener("pointerup", (event) => {
    if (event.pointerId !== active) return;
    active = null;
    extend([place(event, pad.getBoundingClientRect())], event.timeStamp);
  });

  pad.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== active) return;
    active = null;
    cancel();
  });

  // A long press must not open a menu in the middle of a stroke.
  pad.addEventListener("contextmenu", (event) => {
    if (active !== null) event.preventDefault();
  });
}
