// @ts-check
/** The page's only mutable state: get, set, subscribe. Views render from it, nobody reads the DOM. */

/** @typedef {{ readonly x: number, readonly y: number }} Point A place on the pad: 0..1, y down. */
/** @typedef {readonly Point[]} Stroke One line of the pen, at least one point. */
/**
 * @typedef {object} Network A row of weights/index.json.
 * @property {string} name
 * @property {string} file
 * @property {number} [bytes]
 * @property {number} [accuracy] Share of the MNIST test set that it reads right, in 0..1.
 */
/**
 * @typedef {object} Answer
 * @property {number} digit
 * @property {number[]} probabilities Ten shares in 0..1.
 * @property {boolean} refused It does not look like a digit; `digit` is the best guess then.
 * @property {Float32Array} pixels The 784 grey levels that the network saw, 0..1, row by row.
 * @property {number} milliseconds
 * @property {string} model
 */
/**
 * @typedef {object} State
 * @property {"loading" | "ready" | "error"} phase
 * @property {string} message What goes on, or what failed, in words.
 * @property {number} progress Share of the loading that is done, 0..1.
 * @property {readonly Stroke[]} strokes
 * @property {number} drawing Goes up when ink is taken away: answers to older drawings are stale.
 * @property {number} inkTime timeStamp of the event that made the last change of the ink.
 * @property {{ x: number, y: number, down: boolean, shown: boolean }} pen The keyboard's pen.
 * @property {readonly Network[]} networks
 * @property {string} model Name of the chosen network; empty until the list has come.
 * @property {Answer | null} answer
 * @property {"" | "snapshot" | "ordinary"} boot How Python was started, once it runs.
 * @property {boolean} settled Whether nothing that Python starts with is still to come.
 * @property {"no" | "keeping" | "ready" | "update" | "insecure" | "never"} offline Whether the site is kept on
 *   the device; with "update" it is a newer build than the one that is open, and with the last two it
 *   cannot be kept.
 */

/** @type {State} */
let state = Object.freeze({
  phase: /** @type {const} */ ("loading"),
  message: "Starting",
  progress: 0,
  strokes: [],
  drawing: 0,
  inkTime: 0,
  pen: { x: 0.5, y: 0.5, down: false, shown: false },
  networks: [],
  model: "",
  answer: null,
  boot: "",
  settled: false,
  offline: "no",
});

/** @type {Set<(state: State, before: State) => void>} */
const listeners = new Set();

/** @returns {State} */
export function get() {
  return state;
}

/**
 * Replace some properties and tell every listener, in order of subscription, before returning.
 * @param {Partial<State>} changes
 */
export function set(changes) {
  const before = state;
  state = Object.freeze({ ...state, ...changes });
  for (const listener of listeners) listener(state, before);
}

/**
 * Call a listener after every change.
 * @param {(state: State, before: State) => void} listener
 * @returns {() => void} Ends the subscription.
 */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
