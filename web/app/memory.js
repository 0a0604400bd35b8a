// @ts-check
/** Python's memory as numbers: how it is made ready for a snapshot, how one is written as its
 *  difference from fresh memory, and put back. The build makes the snapshot with the very functions
 *  that the page restores it with; nothing here fetches or knows of files. */

/** Where packages are installed, in Pyodide's file system. */
export const SITE_PACKAGES = "/lib/python3.14/site-packages/";

/**
 * What loadPyodide is to be told so that fresh memory is the same everywhere: C's environment and the
 * program's name lie in it, and would hold the visitor's language. PYTHONHASHSEED makes two builds
 * equal. OPTIMIZE and NODEBUGRANGES leave out of Python what no visitor sees: docstrings, asserts, and
 * the columns of tracebacks.
 */
export const OPTIONS = {
  env: {
    LANG: "C.UTF-8", PYTHONHASHSEED: "0", PYTHONOPTIMIZE: "2", PYTHONNODEBUGRANGES: "1",
    PYTHONDONTWRITEBYTECODE: "1",
  },
  _sysExecutable: "./this.program",
};

/**
 * Create Pyodide's WebAssembly module with libraries loaded before Python starts: so that they lie at
 * the same addresses, in memory and in the table of functions, each time. (Emscripten's
 * Module.dynamicLibraries; loaded later, by an import, they would lie wherever there is room.)
 * @param {(settings: PyodideSettings) => Promise<PyodideModule>} create pyodide.asm.mjs's default.
 * @param {PyodideSettings} settings As pyodide.mjs passes them.
 * @param {ReadonlyMap<string, string>} libraries Path in site-packages -> address, in a fixed order.
 */
export function createModule(create, settings, libraries) {
  const byPath = new Map([...libraries].map(([path, url]) => [SITE_PACKAGES + path, url]));
  const { locateFile } = settings;
  settings.dynamicLibraries = [...byPath.keys()];
  settings.locateFile = (path) => byPath.get(path) ?? locateFile(path);
  settings.preRun.push((module) => {
    // An engine without garbage collection in WebAssembly has no trampoline; its place stays empty.
    const words = new Uint32Array(module.HEAPU8.buffer);
    if (words[trampolineIn(module)] === 0) module.wasmTable.grow(1);
  });
  return create(settings);
}

/**
 * The word of memory that holds the address of CPython's trampoline for calls of C functions
 * (Python/emscripten_trampoline.c); 0 where the engine cannot have one. It is the engine's own
 * business: no part of a snapshot.
 * @param {PyodideModule} module
 */
export function trampolineIn(module) {
  const words = new Uint32Array(module.HEAPU8.buffer);
  const offset = words[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET / 4] ?? NaN;
  return (module.__PyRuntime + offset) / 4;
}

/**
 * Make fresh memory ready to be compared with, or changed into, a snapshot of a given size.
 * @param {PyodideModule} module
 * @param {number} bytes
 * @returns {Uint32Array} The memory.
 * @throws {RangeError} When the device has not so much.
 */
export function prepare(module, bytes) {
  // Emscripten's own way: INITIAL_MEMORY is ignored by this build.
  if (module.HEAPU8.length < bytes) module.growMemory(bytes);
  if (module.HEAPU8.length < bytes) throw new RangeError(`no memory of ${bytes} bytes`);
  clearStack(module);
  return new Uint32Array(module.HEAPU8.buffer, 0, bytes / 4);
}

/** Zero what calls that have returned left on the stack. @param {PyodideModule} module */
export function clearStack(module) {
  module.HEAPU8.fill(0, module._emscripten_stack_get_end(), module.stackSave());
}

/**
 * FNV-1a (Fowler, Noll and Vo, 1991) of 32-bit words: finds what went wrong, not an attack.
 * @param {Uint32Array} words
 * @returns {number}
 */
export function checksum(words) {
  let hash = 0x811c9dc5;
  for (let k = 0; k < words.length; k++) hash = Math.imul(hash ^ words[k], 0x01000193);
  return hash >>> 0;
}

/**
 * Write what is to be changed in memory `before` to make it `after`, as pairs of (words that stay,
 * words that change), then the new values of all words that change.
 * @param {Uint32Array} before
 * @param {Uint32Array} after Of the same length.
 * @returns {{ runs: Uint32Array, values: Uint32Array }}
 */
export function difference(before, after) {
  /** @type {number[]} */
  const runs = [];
  /** @type {number[]} */
  const values = [];
  let k = 0;
  while (k < after.length) {
    const start = k;
    while (k < after.length && before[k] === after[k]) k++;
    if (k === after.length) break;
    const changed = k;
    // A gap shorter than the two numbers that would describe it is copied.
    for (let same = 0; k < after.length && same < GAP; k++) {
      same = before[k] === after[k] ? same + 1 : 0;
      if (same === GAP) k -= GAP;
    }
    runs.push(changed - start, k - changed);
    for (let n = changed; n < k; n++) values.push(after[n]);
  }
  return { runs: Uint32Array.from(runs), values: Uint32Array.from(values) };
}
const GAP = 4;

/**
 * Change memory as `difference` says.
 * @param {Uint32Array} memory
 * @param {{ runs: Uint32Array, values: Uint32Array }} difference
 */
export function patch(memory, { runs, values }) {
  let [to, from] = [0, 0];
  for (let k = 0; k < runs.length; k += 2) {
    to += runs[k];
    memory.set(values.subarray(from, from + runs[k + 1]), to);
    to += runs[k + 1];
    from += runs[k + 1];
  }
}
