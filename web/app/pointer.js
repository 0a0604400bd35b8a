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

  pad.addEventListener("pointermove", (event) => {
    if (event.pointerId !== active) return;
    // A screen refreshes less often than a pen reports: the events between come along coalesced.
    const events = event.getCoalescedEvents?.() ?? [];
    const box = pad.getBoundingClientRect();
    extend((events.length ? events : [event]).map((each) => place(each, box)), event.timeStamp);
  });

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
