// @ts-check
/** Joins the halves of WebAssembly modules that the build has split (builder/split.py): the first has
 *  what a start of Python calls; the second all else, and comes after the first answer. A function of
 *  the second that is called before brings it at once: Python waits then. */

import { ASSETS } from "./assets.js";
import { urlOf } from "./site.js";

/** As in builder/split.py. */
const OWN = "pynet ";
const [LATER, NOW] = [`${OWN}later`, `${OWN}now`];

/** Puts the function "" "f" into the first place of the table "" "t": JavaScript cannot put one of its
 *  own there. */
const PUT = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
  1, 4, 1, 0x60, 0, 0, // types: () -> ()
  2, 13, 2, 0, 1, 0x66, 0, 0, 0, 1, 0x74, 1, 0x70, 0, 1, // imports: the function, the table
  9, 7, 1, 0, 0x41, 0, 0x0b, 1, 0, // elements: from i32.const 0 on, function 0
]);

/** How to join each second half that has not come. @type {Map<string, (module: WebAssembly.Module) => void>} */
const waiting = new Map();

/**
 * Fetch a file while Python waits, which only a worker may: a call or an import cannot wait otherwise.
 * @param {string} name
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {Error} One line on what failed.
 */
export function fetchNow(name) {
  const request = new XMLHttpRequest();
  request.open("GET", urlOf(name), false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${name} could not be fetched (${request.status})`);
  return new Uint8Array(request.response);
}

/**
 * The second half of a module, by its name or address.
 * @param {string} first
 * @returns {string} Its name in the site; nothing where the module is whole.
 */
function secondOf(first) {
  const name = `runtime/later/${first.slice(first.lastIndexOf("/") + 1)}`;
  return name in ASSETS ? name : "";
}

/**
 * Make an instance of a first half ready to be called.
 * @param {string} name Of its file.
 * @param {WebAssembly.Instance} instance
 * @param {WebAssembly.Imports} [imports] What it was made with.
 * @returns {WebAssembly.Instance} The same for Emscripten, which would take all exports for symbols.
 */
export function connect(name, instance, imports) {
  const second = secondOf(name);
  if (!second || !(LATER in instance.exports)) return instance;
  const join = (/** @type {WebAssembly.Module} */ module) => {
    if (!waiting.delete(second)) return; // it came by another way
    new WebAssembly.Instance(module, { ...imports, [NOW]: instance.exports });
  };
  waiting.set(second, join);
  const bring = () => join(new WebAssembly.Module(fetchNow(second)));
  new WebAssembly.Instance(new WebAssembly.Module(PUT), { "": { f: bring, t: instance.exports[LATER] } });
  const symbols = Object.entries(instance.exports).filter(([symbol]) => !symbol.startsWith(OWN));
  return { exports: Object.fromEntries(symbols) };
}

/**
 * Fetch and join what has not come yet, without anybody waiting.
 * @throws {Error} When one cannot be had.
 */
export async function complete() {
  await Promise.all(
    [...waiting.keys()].map(async (name) => {
      const response = await fetch(urlOf(name));
      if (!response.ok) throw new Error(`${name} could not be fetched (${response.status})`);
      const module = await WebAssembly.compileStreaming(response);
      waiting.get(name)?.(module);
    }),
  );
}
