/** The least page that does what pynet's does: pointer events to strokes to picture to answer, shown.
 *  Points and strokes come from pynet's own modules; the runtime runs in the page's own thread, which
 *  spares it a worker's messages. Asked about the newest ink whenever it is free, as in pynet. */

import { extend } from "../app/geometry.js";
import { listen } from "../app/pointer.js";
import { strokesToImage } from "./ink.js";
import { RUNTIMES } from "./runtimes.js";

const query = new URLSearchParams(location.search);
const classify = await RUNTIMES[query.get("runtime")](query.get("network"));

const pad = document.getElementById("pad");
const context = pad.getContext("2d");
const shown = document.getElementById("prediction");
const bars = Array.from({ length: 10 }, () => document.createElement("li"));
document.getElementById("bars").append(...bars);

export const state = { strokes: [] };
let [inkTime, busy, dirty] = [0, false, false];

function drawLine(points) {
  const side = pad.width;
  context.lineWidth = 0.055 * side;
  context.lineCap = "round";
  context.beginPath();
  for (const { x, y } of points) context.lineTo(x * side, y * side);
  context.stroke();
}

function askSoon() {
  dirty = true;
  if (busy || state.strokes.length === 0) return;
  dirty = false;
  ask();
}

async function ask() {
  const asked = inkTime;
  busy = true;
  const probabilities = Array.from(await classify(strokesToImage(state.strokes)));
  busy = false;
  const digit = probabilities.indexOf(Math.max(...probabilities));
  shown.textContent = String(digit);
  bars.forEach((bar, index) => (bar.textContent = probabilities[index].toFixed(3)));
  const detail = { digit, probabilities, milliseconds: performance.now() - asked };
  document.dispatchEvent(new CustomEvent("pynet:prediction", { detail }));
  if (dirty) askSoon();
}

function change(strokes, time) {
  [state.strokes, inkTime] = [strokes, time];
  drawLine(strokes.at(-1).slice(-2));
  askSoon();
}

listen(pad, {
  begin: (point, time) => change([...state.strokes, [point]], time),
  extend: (points, time) => {
    const [last, end] = [state.strokes.at(-1).at(-1), points.at(-1)];
    if (points.length === 1 && last.x === end.x && last.y === end.y) return;
    change(extend(state.strokes, points), time);
  },
  cancel: () => {},
});

export function clear() {
  [state.strokes, dirty] = [[], false];
  context.clearRect(0, 0, pad.width, pad.height);
}

document.documentElement.dataset.state = "ready";
