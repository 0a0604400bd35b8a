// @ts-check
/** What can be done to the drawing: every change of the ink goes through here. */

import * as store from "./store.js";
import { extend, move } from "./geometry.js";

/** @typedef {import("./store.js").Point} Point */

/** @param {Point} point @param {number} time timeStamp of the event. */
export function beginStroke(point, time) {
  const { strokes, pen } = store.get();
  store.set({ strokes: [...strokes, [point]], inkTime: time, pen: { ...pen, down: false, shown: false } });
}

/** @param {readonly Point[]} points @param {number} time timeStamp of the event. */
export function extendStroke(points, time) {
  const { strokes } = store.get();
  const last = strokes.at(-1)?.at(-1);
  const end = points.at(-1);
  if (!last || !end || (points.length === 1 && end.x === last.x && end.y === last.y)) return;
  store.set({ strokes: extend(strokes, points), inkTime: time });
}

/** Take the last stroke away. */
export function undo() {
  const { strokes, drawing, pen } = store.get();
  if (strokes.length === 0) return;
  store.set({
    strokes: strokes.slice(0, -1), drawing: drawing + 1, answer: null, pen: { ...pen, down: false },
    inkTime: performance.now(),
  });
}

/** Take all ink away. */
export function clear() {
  const { drawing, pen } = store.get();
  store.set({
    strokes: [], drawing: drawing + 1, answer: null, pen: { ...pen, down: false },
    inkTime: performance.now(),
  });
}

/**
 * Move the keyboard's pen, drawing while it is down.
 * @param {number} dx
 * @param {number} dy
 * @param {number} time timeStamp of the event.
 */
export function movePen(dx, dy, time) {
  const { pen } = store.get();
  const point = move(pen, dx, dy);
  store.set({ pen: { ...pen, ...point, shown: true } });
  if (pen.down) extendStroke([point], time);
}

/** Lower the keyboard's pen, or lift it. @param {number} time */
export function togglePen(time) {
  const { pen } = store.get();
  const { x, y, down } = pen;
  if (!down) beginStroke({ x, y }, time);
  store.set({ pen: { x, y, down: !down, shown: true } });
}

/** Put the keyboard's pen away. */
export function hidePen() {
  const { pen } = store.get();
  store.set({ pen: { ...pen, down: false, shown: false } });
}
