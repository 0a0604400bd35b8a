// @ts-check
/** Puts the page together: views, input, and Python, which comes last and starts after the first paint. */

import * as classifier from "./classifier.js";
import * as ink from "./ink.js";
import * as keyboard from "./keyboard.js";
import * as offline from "./offline.js";
import * as pointer from "./pointer.js";
import * as store from "./store.js";
import * as views from "./views.js";

document.documentElement.dataset.script = "running"; // tells guard.js that the modules are here
views.start();

const pad = views.element("pad", HTMLCanvasElement);
pointer.listen(pad, { begin: ink.beginStroke, extend: ink.extendStroke, cancel: ink.undo });
keyboard.listen(pad, {
  move: ink.movePen,
  toggle: ink.togglePen,
  leave: ink.hidePen,
  undo: ink.undo,
  clear: ink.clear,
});
views.element("undo", HTMLButtonElement).addEventListener("click", ink.undo);
views.element("clear", HTMLButtonElement).addEventListener("click", ink.clear);
views.element("retry", HTMLButtonElement).addEventListener("click", classifier.retry);
const model = views.element("model", HTMLSelectElement);
model.addEventListener("change", () => classifier.chooseModel(model.value));

store.subscribe((now, before) => {
  if (now.strokes !== before.strokes) classifier.askSoon();
});

offline.start();
if (document.visibilityState === "visible") {
  requestAnimationFrame(() => setTimeout(classifier.start)); // after the first paint
} else {
  classifier.start(); // nothing is painted in a hidden tab
}
