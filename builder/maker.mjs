/** Makes the snapshot: starts Pyodide with numpy's libraries in fixed places, has warm_up.py fill it,
 *  and writes what its memory then holds beyond that of a fresh start; then starts from it as the page
 *  does, and writes which functions that took. Runs in Node and in browsers. */

import {
  HEAD, OPTIONS, PARTS, checksum, checksumOfStart, createModule, difference, fillHead, patch, prepare, restore,
  trampolineIn,
} from "./memory.js";

const NODE = typeof process === "object";

/** @param {string} name Of a file in the folder that builder/snapshot.py has filled. */
const urlOf = (name) => new URL(name, import.meta.url);

/** @param {string} name @returns {Promise<Uint8Array>} */
async function read(name) {
  if (NODE) return new Uint8Array(await (await import("node:fs/promises")).readFile(urlOf(name)));
  return new Uint8Array(await (await fetch(urlOf(name))).arrayBuffer());
}

/** In Node Pyodide takes paths, in a browser addresses. @param {string} name */
const place = (name) => (NODE ? decodeURIComponent(urlOf(name).pathname) : urlOf(name).href);

const text = async (/** @type {string} */ name) => new TextDecoder().decode(await read(name));

/**
 * Give Python the same time and the same random bytes at each making, so that the same files give the
 * same snapshot. restored.py undoes in the page what would matter there.
 * @param {number} seed
 */
async function repeatable(seed) {
  let time = 1e12 * seed; // it goes on, for imports compare the times of folders
  Date.now = () => time++;
  performance.now = () => time++;
  const fill = (bytes) => bytes.fill(seed);
  if (NODE) (await import("node:crypto")).default.randomFillSync = fill; // what asm.mjs takes there
  else crypto.getRandomValues = fill;
}

/** What builder/snapshot.py says. */
const recipe = async () => JSON.parse(await text("recipe.json"));

/**
 * Start Pyodide with the libraries.
 * @param {object} options Of loadPyodide.
 * @param {(module: PyodideModule) => Promise<PyodideModule>} after Gets its module before Python starts.
 * @param {string} folder Where the core and the libraries are.
 */
async function start(options, after, folder = "") {
  const { libraries, lock } = await recipe();
  const { loadPyodide } = await import(urlOf("pyodide/pyodide.mjs").href);
  const { default: create } = await import(urlOf("pyodide/pyodide.asm.mjs").href);
  const places = new Map(libraries.map((path) => [path, place(`${folder}disk${path}`)]));
  return loadPyodide({
    ...OPTIONS,
    indexURL: place(`${folder}pyodide/`),
    lockFileContents: lock,
    ...options,
    createPyodideModule: async (settings) => after(await createModule(create, settings, places)),
  });
}

/** @returns {Promise<{ header: object, parts: import("./memory.js").Difference }>} The snapshot. */
async function makeSnapshot() {
  await repeatable(1);
  let module;
  const pyodide = await start({ _makeSnapshot: true }, async (made) => (module = made));
  const networks = await fill(pyodide);
  dropLibraryFiles(module);
  zeroFree(module);
  new Uint32Array(module.HEAPU8.buffer)[trampolineIn(module)] = 0; // each engine has its own
  const { head, after } = memoryOf(pyodide.makeMemorySnapshot());

  const one = await fresh(after.length * 4);
  await repeatable(2);
  const other = await fresh(after.length * 4);
  for (let k = 0; k < after.length; k++) {
    if (one.words[k] !== other.words[k]) one.words[k] = ~after[k]; // depends on time or chance: never left out
  }
  const parts = difference(one.words, after);
  const header = {
    memory: after.length * 4,
    table: one.module.wasmTable.length,
    start: { end: one.end, checksum: checksumOfStart(one.module, after, one.end) },
    parts: Object.fromEntries(PARTS.map(([name]) => [name, parts[name].length])),
    pyodide: btoa(String.fromCharCode(...head)),
    lock: (await recipe()).lock,
    networks,
  };
  return { header, parts };
}

/** The snapshot as a file: the length of its header, the header, the parts. */
function written({ header, parts }) {
  const body = joined(PARTS.map(([name]) => new Uint8Array(parts[name].buffer)));
  const whole = { ...header, checksum: checksum(new Uint32Array(body.buffer)) };
  const json = new TextEncoder().encode(JSON.stringify(whole));
  return joined([joined([Uint32Array.of(json.length), json]), body]);
}

/** Drawings as the page sends them: points, and the number of those of each stroke. All sorts, so that
 *  whatever is called now and then is called. @returns {Generator<[Float64Array, Int32Array]>} */
function* drawings() {
  for (let n = 0; n < 60; n++) {
    const points = [];
    const lengths = [];
    for (let stroke = 0; stroke <= n % 3; stroke++) {
      const count = 1 + ((n * n) % 97);
      for (let k = 0; k < count; k++) {
        const angle = (1 + (n % 5)) * (k / 16) + stroke;
        points.push(0.5 + 0.4 * Math.cos(angle * (1 + (n % 2))), 0.5 + (n / 150) * Math.sin(angle));
      }
      lengths.push(count);
    }
    yield [Float64Array.from(points), Int32Array.from(lengths)];
  }
}

/**
 * Start from the snapshot and answer drawings, as web/app/snapshot.js and python.js do, with the modules
 * in counted/, of which each function notes that it is called (builder/split.py).
 * @returns {Promise<string[]>} Names of modules with numbers of functions.
 */
async function rehearse({ header, parts }) {
  const { instantiate, instantiateStreaming } = WebAssembly;
  const { own } = await recipe();
  const notes = [];
  const noting = async (made) => {
    const { module, instance } = await made;
    const exports = Object.entries(instance.exports);
    notes.push(...exports.filter(([name]) => name.startsWith(own)));
    const symbols = exports.filter(([name]) => !name.startsWith(own));
    return { module, instance: { exports: Object.fromEntries(symbols) } };
  };
  WebAssembly.instantiate = (source, imports) => noting(instantiate(source, imports));
  WebAssembly.instantiateStreaming = (source, imports) => noting(instantiateStreaming(source, imports));
  const head = new Uint8Array(HEAD);
  const options = { _loadSnapshot: head, stdLibURL: place("pyodide/python_stdlib.zip") };
  const python = await start(options, async (module) => {
    restore(module, { ...header, change: (words) => patch(words, parts) });
    fillHead(header, head);
    return module;
  }, "counted/");
  Object.assign(WebAssembly, { instantiate, instantiateStreaming });
  python.registerJsModule("pynet_site", {});
  const restored = python.pyimport("restored");
  restored.wake();
  restored.destroy();
  const worker = python.pyimport("worker");
  for (const network of header.networks) {
    for (const drawing of drawings()) {
      const { error } = worker.classify(network, ...drawing);
      if (error) throw new Error(error);
    }
  }
  return notes.filter(([, note]) => note.value).map(([name]) => name.slice(own.length));
}

/**
 * Put the page's Python and numpy on Pyodide's disk and run warm_up.py there.
 * @returns {Promise<string[]>} The networks that are loaded then.
 */
async function fill(pyodide) {
  const { files, archive, packages } = await recipe();
  pyodide.unpackArchive(await read(archive), "zip", { extractDir: packages });
  for (const file of files) {
    const folder = file.slice(0, Math.max(0, file.lastIndexOf("/")));
    if (folder) pyodide.FS.mkdirTree(folder);
    pyodide.FS.writeFile(file, await read(`home/${file}`));
  }
  const scope = pyodide.toPy({ __name__: "warm_up" }); // not __main__, where worker.py will run
  pyodide.runPython(await text("warm_up.py"), { globals: scope });
  const networks = [scope.get("default")];
  scope.destroy();
  const gc = pyodide.pyimport("gc");
  gc.collect();
  gc.destroy();
  return networks;
}

/** dlopen keeps a library's file in memory, 3 MB here, for threads that would load it as well
 *  (emscripten, system/lib/libc/dynlink.c, struct dso); there are none. */
function dropLibraryFiles(module) {
  for (const handle of Object.keys(module.LDSO.loadedLibsByHandle).map(Number)) {
    const [data, size] = [(handle + 28) >> 2, (handle + 32) >> 2];
    if (!handle || !module.HEAPU32[data]) continue;
    module._free(module.HEAPU32[data]);
    module.HEAPU32[data] = module.HEAPU32[size] = 0;
  }
}

/** Fill with zeros what malloc has free, and the unused part of the stack: old data compresses badly. */
function zeroFree(module) {
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = () => {
    throw new RangeError("full"); // else malloc would never be out of memory
  };
  const blocks = [];
  for (let size = 2 ** 24; size >= 16; size /= 2) {
    for (let block; (block = module._malloc(size)); blocks.push(block)) {
      module.HEAPU8.fill(0, block, block + module._malloc_usable_size(block));
    }
  }
  WebAssembly.Memory.prototype.grow = grow;
  for (const block of blocks.reverse()) module._free(block);
  module._malloc_trim(0); // gives the free end of the heap back
  clearStack(module);
}

/** Take Pyodide's snapshot apart: its own header, and memory as far as anything is in it. */
function memoryOf(snapshot) {
  const start = new DataView(snapshot.buffer).getUint32(4, true); // the length of the header
  const memory = new Uint32Array(snapshot.slice(start).buffer);
  let end = memory.length;
  while (memory[end - 1] === 0) end--;
  const pages = Math.ceil((4 * end) / 65536); // of WebAssembly
  return { head: snapshot.slice(0, start), after: memory.slice(0, pages * 16384) };
}

/** Zero what calls that have returned left on the stack. */
function clearStack(module) {
  module.HEAPU8.fill(0, module._emscripten_stack_get_end(), module.stackSave());
}

/** A module as it is when the page puts the snapshot in, its memory, and how much of that is in use. */
async function fresh(bytes) {
  const enough = new Error("enough");
  let found;
  const look = async (module) => {
    const end = module._sbrk(0);
    const words = prepare(module, bytes);
    clearStack(module);
    found = { module, end, words: words.slice() };
    throw enough;
  };
  await start({ _loadSnapshot: new Uint8Array(0) }, look).catch((error) => {
    if (error !== enough) throw error;
  });
  return found;
}

/** Bytes one after another, with zeros at the end up to a whole number of words. */
function joined(parts) {
  const length = parts.reduce((sum, part) => sum + part.byteLength, 0);
  const all = new Uint8Array(4 * Math.ceil(length / 4));
  let start = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), start);
    start += part.byteLength;
  }
  return all;
}

/** Hand over what was made, or the last line of what failed. @param {string} name */
async function send(name, body) {
  if (NODE) await (await import("node:fs/promises")).writeFile(urlOf(name), body);
  else await fetch(urlOf(name), { method: "PUT", body });
}

try {
  const snapshot = await makeSnapshot();
  await send("called.json", new TextEncoder().encode(JSON.stringify(await rehearse(snapshot))));
  await send("snapshot.bin", written(snapshot));
} catch (error) {
  await send("failed.txt", String(error?.message ?? error).trim().split("\n").pop());
}
