/** The least page that answers a drawing it already has: for the time from opening it to the answer. */

import { strokesToImage } from "./ink.js";
import { RUNTIMES } from "./runtimes.js";

const { runtime, network } = document.documentElement.dataset;
const drawing = JSON.parse(document.getElementById("drawing").textContent);
const strokes = drawing.map((stroke) => stroke.map(([x, y]) => ({ x, y })));
const classify = await RUNTIMES[runtime](network);
const probabilities = Array.from(await classify(strokesToImage(strokes)));
const digit = probabilities.indexOf(Math.max(...probabilities));
document.getElementById("prediction").textContent = String(digit);
document.dispatchEvent(new CustomEvent("pynet:prediction", { detail: { digit, probabilities } }));
