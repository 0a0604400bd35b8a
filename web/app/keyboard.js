// @ts-check
/** Keys on the pad: a pen that arrows move and Space lowers, and the shortcuts for undo and clear. */

/** A step of the pen as a share of the pad, and the small one with Shift. */
const STEP = 0.05;
const SMALL_STEP = 0.01;

/** @type {Readonly<Record<string, readonly [number, number]>>} */
const DIRECTIONS = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/**
 * @param {HTMLElement} pad
 * @param {object} handlers
 * @param {(dx: number, dy: number, time: number) => void} handlers.move The pen goes this far, in pad units.
 * @param {(time: number) => void} handlers.toggle The pen goes down or up.
 * @param {() => void} handlers.leave The pad lost the focus.
 * @param {() => void} handlers.undo
 * @param {() => void} handlers.clear
 */
export function listen(pad, { move, toggle, leave, undo, clear }) {
  /** Arrows held down: two of them make a diagonal. @type {Set<string>} */
  const held = new Set();

  pad.addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    if (event.key in DIRECTIONS && !command && !event.altKey) {
      held.add(event.key);
      const step = event.shiftKey ? SMALL_STEP : STEP;
      let [dx, dy] = [0, 0];
      for (const key of held) {
        dx += step * (DIRECTIONS[key]?.[0] ?? 0);
        dy += step * (DIRECTIONS[key]?.[1] ?? 0);
      }
      move(dx, dy, event.timeStamp);
    } else if (event.key === " " || event.key === "Enter") {
      if (!event.repeat) toggle(event.timeStamp);
    } else if (event.key.toLowerCase() === "z" && command && !event.shiftKey) {
      undo();
    } else if (event.key === "Escape" || event.key === "Delete") {
      clear();
    } else {
      return;
    }
    event.preventDefault(); // the page must not scroll
  });
  pad.addEventListener("keyup", (event) => held.delete(event.key));
  pad.addEventListener("blur", () => {
    held.clear();
    leave();
  });
}
