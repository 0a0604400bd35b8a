// @ts-check
/** How far the start of Python has come: real stages, and real bytes of those that the build's table
 *  says it takes. Knows nothing of the page. */

import { ASSETS } from "./assets.js";

/** @typedef {import("./python.js").Report} Report */

/** What Python's worker fetches when it starts from the snapshot, and else. Modules are not counted:
 *  browsers import them without saying how far they are. */
const SNAPSHOT = /^runtime\/(snapshot\.bin|libraries\/.*|pyodide\/pyodide\.asm\.wasm)$/;
const ORDINARY = /^runtime\/pyodide\/(pyodide\.asm\.wasm|python_stdlib\.zip|numpy-.*\.whl)$/;

/** The bytes of files as they are sent. @param {RegExp} names */
const bytesOf = (names) =>
  Object.entries(ASSETS).reduce((sum, [name, { wire }]) => sum + (names.test(name) ? wire : 0), 0);

const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);

/**
 * Follow one start of Python by what its worker reports.
 * @param {boolean} snapshot Whether it starts from the snapshot.
 * @returns {(report: Report) => { message: string, progress: number }} What to tell the visitor: in
 *   words, and as a share in 0..1 that never falls.
 */
export function follow(snapshot) {
  const total = bytesOf(snapshot ? SNAPSHOT : ORDINARY);
  let received = 0;
  let [words, share] = ["Starting Python", 0.05];
  return ({ received: bytes = 0, stage, restored }) => {
    received = Math.min(total, received + bytes); // small files come on top, see above
    if (stage === "Loaded interpreter" || restored) [words, share] = ["Python runs; loading pynet", 0.2];
    if (stage === "Loaded Pyodide" && !snapshot) [words, share] = ["Starting numpy", 0.3];
    const fetching = `Python: ${megabytes(received)}\u00a0of\u00a0${megabytes(total)}\u00a0MB`; // breaks at most once
    const progress = share + (0.6 * received) / Math.max(1, total);
    return { message: received < total ? fetching : words, progress };
  };
}
