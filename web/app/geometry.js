// @ts-check
/** Pure geometry of the pad: no DOM, no state. Pad coordinates run from 0 to 1, y down. */

/** @typedef {import("./store.js").Point} Point */
/** @typedef {import("./store.js").Stroke} Stroke */

/** @param {number} value @returns {number} */
const clamp = (value) => Math.min(1, Math.max(0, value));

/**
 * Turn a place in the window into one on the pad; what lies outside is moved to the edge, so
 * that the network gets no ink that the visitor cannot see.
 * @param {number} clientX
 * @param {number} clientY
 * @param {{ left: number, top: number, width: number, height: number }} box
 * @returns {Point}
 */
export function toPad(clientX, clientY, box) {
  return {
    x: clamp((clientX - box.left) / box.width),
    y: clamp((clientY - box.top) / box.height),
  };
}

/**
 * Move a point and keep it on the pad.
 * @param {Point} point
 * @param {number} dx
 * @param {number} dy
 * @returns {Point}
 */
export function move(point, dx, dy) {
  return { x: clamp(point.x + dx), y: clamp(point.y + dy) };
}

/**
 * Lay strokes out flat for the worker.
 * @param {readonly Stroke[]} strokes
 * @returns {{ points: Float64Array, lengths: Int32Array }} x, y, x, y, ...; points in each stroke.
 */
export function flatten(strokes) {
  return {
    points: Float64Array.from(strokes.flatMap((stroke) => stroke.flatMap(({ x, y }) => [x, y]))),
    lengths: Int32Array.from(strokes, (stroke) => stroke.length),
  };
}

/**
 * The same strokes with points added to the last one.
 * @param {readonly Stroke[]} strokes
 * @param {readonly Point[]} points
 * @returns {readonly Stroke[]}
 */
export function extend(strokes, points) {
  const last = strokes[strokes.length - 1] ?? [];
  return [...strokes.slice(0, -1), [...last, ...points]];
}
