// @ts-check
/** Python's memory as numbers: how it is made ready for a snapshot, how one is written as its
 *  difference from fresh memory, and put back. The build makes the snapshot with the very functions
 *  that the page restores it with; nothing here fetches or knows of files. */

/**
 * What loadPyodide is to be told so that fresh memory is the same everywhere: C's environment and the
 * program's name lie in it, and would hold the visitor's language. PYTHONHASHSEED makes two builds
 * equal. OPTIMIZE and NODEBUGRANGES leave out of Python what no visitor sees: docstrings, asserts, and
 * the columns of tracebacks.
 */
export const OPTIONS = {
  env: {
    LANG: "C.UTF-8", PYTHONHASHSEED: "0", PYTHONOPTIMIZE: "2", PYTHONNODEBUGRANGES: "1",
    PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1",
  },
  _sysExecutable: "./this.program",
};

/**
 * Create Pyodide's WebAssembly module with libraries loaded before Python starts: so that they lie at
 * the same addresses, in memory and in the table of functions, each time. (Emscripten's
 * Module.dynamicLibraries; loaded later, by an import, they would lie wherever there is room.)
 * @param {(settings: PyodideSettings) => Promise<PyodideModule>} create pyodide.asm.mjs's default.
 * @param {PyodideSettings} settings As pyodide.mjs passes them.
 * @param {ReadonlyMap<string, string>} libraries Path on Pyodide's disk -> address, in a fixed order.
 */
export function createModule(create, settings, libraries) {
  const { locateFile } = settings;
  settings.dynamicLibraries = [...libraries.keys()];
  settings.locateFile = (path) => libraries.get(path) ?? locateFile(path);
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
  return new Uint32Array(module.HEAPU8.buffer, 0, bytes / 4);
}

/**
 * FNV-1a (Fowler, Noll and Vo, 1991) of 32-bit words, in four lanes, which a processor does side by
 * side: finds what went wrong, not an attack.
 * @param {Uint32Array} words
 * @returns {number}
 */
export function checksum(words) {
  const prime = 0x01000193;
  let [a, b, c, d] = [1, 2, 3, 4];
  const whole = words.length & ~3;
  for (let k = 0; k < whole; k += 4) {
    a = Math.imul(a ^ words[k], prime);
    b = Math.imul(b ^ words[k + 1], prime);
    c = Math.imul(c ^ words[k + 2], prime);
    d = Math.imul(d ^ words[k + 3], prime);
  }
  for (const word of words.subarray(whole)) a = Math.imul(a ^ word, prime);
  return [b, c, d].reduce((hash, lane) => Math.imul(hash ^ lane, prime), a) >>> 0;
}

/**
 * Checksum of that part of the memory that is there before Python has started: where addresses of data
 * and functions stand. What calls that have returned left on the stack does not count.
 * @param {PyodideModule} module
 * @param {Uint32Array} words Its memory.
 * @param {number} end Of the part, in bytes.
 */
export function checksumOfStart(module, words, end) {
  const data = checksum(words.subarray(0, module._emscripten_stack_get_end() / 4));
  return (data ^ checksum(words.subarray(module.stackSave() / 4, end / 4))) >>> 0;
}

/**
 * What is to be changed in memory. gzip finds more in it when words of a kind stand together.
 * @typedef {object} Difference
 * @property {Uint32Array} runs Pairs: words that stay, words that change.
 * @property {Uint8Array} kinds Of each word that changes, two bits, the lowest first.
 * @property {Uint8Array} bytes Words of kind 0: below 2 ** 8.
 * @property {Uint16Array} halves Words of kind 1: below 2 ** 16.
 * @property {Uint8Array} addresses Words of kind 2: multiples of 8 below 2 ** 27; by 8, three bytes.
 * @property {Uint32Array} words Words of kind 3: all others.
 */

/** The parts of a difference in the order of the file: the wide ones first, so that all are aligned. */
export const PARTS = /** @type {const} */ ([
  ["runs", Uint32Array], ["words", Uint32Array], ["halves", Uint16Array], ["addresses", Uint8Array],
  ["bytes", Uint8Array], ["kinds", Uint8Array],
]);

/** A gap shorter than the two numbers that would describe it is copied. */
const GAP = 4;

/**
 * Write what is to be changed in memory `before` to make it `after`.
 * @param {Uint32Array} before
 * @param {Uint32Array} after Of the same length.
 * @returns {Difference}
 */
export function difference(before, after) {
  const runs = [];
  const kinds = [];
  const addresses = [];
  /** Words of the other kinds, by kind. @type {number[][]} */
  const others = [[], [], [], []];
  let k = 0;
  while (k < after.length) {
    const start = k;
    while (k < after.length && before[k] === after[k]) k++;
    if (k === after.length) break;
    const changed = k;
    for (let same = 0; k < after.length && same < GAP; k++) {
      same = before[k] === after[k] ? same + 1 : 0;
      if (same === GAP) k -= GAP;
    }
    runs.push(changed - start, k - changed);
    for (const word of after.subarray(changed, k)) {
      const kind = word < 2 ** 8 ? 0 : word < 2 ** 16 ? 1 : word % 8 === 0 && word < 2 ** 27 ? 2 : 3;
      kinds.push(kind);
      if (kind === 2) addresses.push((word >> 3) & 255, (word >> 11) & 255, word >> 19);
      else others[kind].push(word);
    }
  }
  const packed = new Uint8Array(Math.ceil(kinds.length / 4));
  kinds.forEach((kind, n) => (packed[n >> 2] |= kind << (2 * (n & 3))));
  return {
    runs: Uint32Array.from(runs),
    kinds: packed,
    bytes: Uint8Array.from(others[0]),
    halves: Uint16Array.from(others[1]),
    addresses: Uint8Array.from(addresses),
    words: Uint32Array.from(others[3]),
  };
}

/**
 * Change memory as `difference` says.
 * @param {Uint32Array} memory
 * @param {Difference} difference
 */
export function patch(memory, { runs, kinds, bytes, halves, addresses, words }) {
  let [to, n, b, h, a, w] = [0, 0, 0, 0, 0, 0];
  for (let k = 0; k < runs.length; k += 2) {
    to += runs[k];
    for (const end = to + runs[k + 1]; to < end; to++, n++) {
      const kind = (kinds[n >> 2] >> (2 * (n & 3))) & 3;
      if (kind === 0) memory[to] = bytes[b++];
      else if (kind === 1) memory[to] = halves[h++];
      else if (kind === 3) memory[to] = words[w++];
      else {
        memory[to] = (addresses[a] << 3) | (addresses[a + 1] << 11) | (addresses[a + 2] << 19);
        a += 3;
      }
    }
  }
}

/** Pieces of memory are kept in whole pages, in bytes. */
const PAGE = 4096;

/**
 * The pages in which a difference changes anything.
 * @param {Difference} difference
 * @returns {[place: number, bytes: number][]} One behind the other together.
 */
export function changed({ runs }) {
  /** @type {[number, number][]} */
  const pieces = [];
  let [word, from, end] = [0, 0, 0];
  for (let k = 0; k < runs.length; k += 2) {
    word += runs[k];
    const first = PAGE * Math.floor((4 * word) / PAGE);
    word += runs[k + 1];
    if (first > end) {
      if (end > from) pieces.push([from, end - from]);
      from = first;
    }
    end = PAGE * Math.ceil((4 * word) / PAGE);
  }
  pieces.push([from, end - from]);
  return pieces;
}

/**
 * @typedef {object} Snapshot
 * @property {number} memory Bytes of memory.
 * @property {number} table Functions in the table.
 * @property {number} checksum Of what follows the header.
 * @property {{ end: number, checksum: number }} start Of the part of memory that was there before Python.
 * @property {string} pyodide Pyodide's own header of a snapshot, in base64.
 * @property {object} lock The lock file of packages that Pyodide wants, empty.
 * @property {string[]} networks The networks in it, which restored.py wakes.
 * @property {(words: Uint32Array) => void} change Makes memory that Python has not started in yet what it
 *   was when the snapshot was made.
 */

/**
 * Put the snapshot into a module that was just created, before Python has started in it.
 * @param {PyodideModule} module
 * @param {Snapshot} snapshot
 * @throws {Error} When this engine lays things out in another way than the one that made it.
 */
export function restore(module, snapshot) {
  const functions = module.wasmTable.length;
  if (functions !== snapshot.table) {
    throw new Error(`the snapshot has ${snapshot.table} functions, this browser ${functions}`);
  }
  const words = prepare(module, snapshot.memory);
  const place = trampolineIn(module);
  const trampoline = words[place] ?? 0;
  snapshot.change(words);
  words[place] = 0;
  // Addresses of data and functions are in memory too: an engine that places them elsewhere shows.
  const found = checksumOfStart(module, words, snapshot.start.end);
  if (found !== snapshot.start.checksum) throw new Error("the snapshot is not of this Pyodide");
  words[place] = trampoline;
  module.API.rawRun = () => [0, ""]; // imports what is in memory; see restored.py for what follows
}

/** Bytes of what Pyodide is given as its own snapshot: enough for the header, for `restore` puts the
 *  memory in. Pyodide reads it last, so it may be filled while the core starts. */
export const HEAD = 4096;

/** @param {Snapshot} snapshot @param {Uint8Array} head */
export function fillHead({ pyodide }, head) {
  head.set(Uint8Array.from(atob(pyodide), (letter) => letter.charCodeAt(0)));
  new DataView(head.buffer).setUint32(4, head.length, true); // where memory begins: no byte follows
}
