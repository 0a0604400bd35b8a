// @ts-check
/** Starts Python from a picture of its memory, made by the build, with numpy, pynet and the default
 *  network in it. What takes Python seconds, starting and importing, has then happened already.
 *
 *  Pyodide calls this experimental and leaves packages with compiled code out of it; what follows
 *  makes those work (Pyodide 314: pyodide.mjs, prepareSnapshot, and pyodide.asm.mjs, restoreSnapshot).
 *  A snapshot fits one build of Pyodide and one set of libraries. Whatever does not fit is an error
 *  here, and the page then starts Python the ordinary way. */

import { ASSETS } from "./assets.js";
import { unite } from "./functions.js";
import { OPTIONS, PARTS, checksum, checksumOfStart, createModule, patch, prepare, trampolineIn } from "./memory.js";
import { urlOf } from "./site.js";

const FILE = "runtime/snapshot.bin";
const LIBRARIES = "runtime/libraries";

/** Whether the site has a snapshot: the build needs Node or Chromium to make one. */
export const available = FILE in ASSETS;

/**
 * @typedef {object} Snapshot
 * @property {number} memory Bytes of memory.
 * @property {number} table Functions in the table.
 * @property {number} checksum Of what follows the header.
 * @property {{ end: number, checksum: number }} start Of the part of memory that was there before Python.
 * @property {string} pyodide Pyodide's own header of a snapshot, in base64.
 * @property {object} lock The lock file of packages that Pyodide wants, empty.
 * @property {string[]} networks The networks in it, which restored.py wakes.
 * @property {import("./memory.js").Difference} difference From fresh memory.
 */

/**
 * Fetch the file and take it apart: length of the header, header, difference; see builder/maker.mjs.
 * @returns {Promise<Snapshot>}
 * @throws {Error} When it broke off, or holds something else.
 */
async function fetchSnapshot() {
  const response = await fetch(urlOf(FILE));
  if (!response.ok) throw new Error(`the snapshot gave ${response.status}`);
  const buffer = await response.arrayBuffer();
  if (buffer.byteLength !== ASSETS[FILE]?.bytes) throw new Error("the snapshot broke off");
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let start = 4 * Math.ceil((4 + length) / 4);
  if (checksum(new Uint32Array(buffer, start)) !== header.checksum) throw new Error("the snapshot is damaged");
  const parts = PARTS.map(([name, Type]) => {
    const part = new Type(buffer, start, header.parts[name]);
    start += part.byteLength;
    return [name, part];
  });
  return { ...header, difference: Object.fromEntries(parts) };
}

/** The libraries of the snapshot, by path on Pyodide's disk; the build sorts the table. */
const libraries = new Map(
  Object.keys(ASSETS)
    .filter((name) => name.startsWith(`${LIBRARIES}/`))
    .map((name) => [name.slice(LIBRARIES.length), urlOf(name)]),
);

/**
 * Put the snapshot into a module that was just created, before Python has started in it.
 * @param {PyodideModule} module
 * @param {Snapshot} snapshot
 * @throws {Error} When this engine lays things out in another way than the one that made it.
 */
function restore(module, snapshot) {
  const functions = module.wasmTable.length;
  if (functions !== snapshot.table) {
    throw new Error(`the snapshot has ${snapshot.table} functions, this browser ${functions}`);
  }
  const words = prepare(module, snapshot.memory);
  const place = trampolineIn(module);
  const trampoline = words[place] ?? 0;
  patch(words, snapshot.difference);
  words[place] = 0;
  // Addresses of data and functions are in memory too: an engine that places them elsewhere shows.
  const found = checksumOfStart(module, words, snapshot.start.end);
  if (found !== snapshot.start.checksum) throw new Error("the snapshot is not of this Pyodide");
  words[place] = trampoline;
}

/** An address that nothing is fetched from. */
const NOTHING = new URL("nothing", import.meta.url).href;

/**
 * Begin at once what Pyodide would do one after the other: fetch and compile its core and the libraries.
 * @param {string} core Address of the core.
 * @returns {Promise<unknown>} Done when all are compiled. Pyodide is not told if that fails: it would wait.
 */
function workAhead(core) {
  const fetchPlain = self.fetch.bind(self);
  const { instantiate } = WebAssembly;
  const compiled = WebAssembly.compileStreaming(fetchPlain(core));
  /** Libraries by the very bytes that Emscripten gets. @type {Map<ArrayBuffer, Promise<WebAssembly.Module>>} */
  const modules = new Map();
  /** @type {Promise<unknown>[]} */
  const started = [compiled];
  const ahead = new Map([...libraries.values()].map((url) => [url, compile(url)]));

  /** @param {string} url */
  async function compile(url) {
    const bytes = await (await fetchPlain(url)).arrayBuffer();
    const module = WebAssembly.compile(bytes);
    modules.set(bytes, module);
    module.catch(() => {}); // told to whoever waits for all
    started.push(module);
    return bytes;
  }

  self.fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const bytes = ahead.get(url);
    ahead.delete(url);
    if (bytes) return Object.defineProperty(new Response(), "arrayBuffer", { value: () => bytes });
    return url === NOTHING || url === core ? new Response() : fetchPlain(input, init);
  };
  /** @param {WebAssembly.Module} module @param {WebAssembly.Imports} [imports] */
  const both = async (module, imports) => ({ module, instance: await instantiate(module, imports) });
  WebAssembly.instantiateStreaming = async (_, imports) => both(await compiled, imports);
  WebAssembly.instantiate = /** @type {any} */ (async (/** @type {any} */ source, /** @type {any} */ imports) => {
    const module = modules.get(source.buffer);
    modules.delete(source.buffer);
    return module ? both(await module, imports) : instantiate(source, imports);
  });
  return Promise.all([compiled, ...ahead.values()]).then(() => Promise.all(started));
}

/**
 * Start Python from the snapshot.
 * @param {Promise<{ loadPyodide: (options: object) => Promise<Pyodide> }>} pyodideModule
 * @param {string} indexURL The folder that Pyodide looks for its core in.
 * @returns {Promise<{ pyodide: Pyodide, networks: string[] }>}
 * @throws {Error} One line on what does not fit.
 */
export async function start(pyodideModule, indexURL) {
  unite();
  const script = import(urlOf("runtime/pyodide/pyodide.asm.mjs"));
  const core = workAhead(`${indexURL}pyodide.asm.wasm`);
  const fetched = fetchSnapshot();
  const failed = Promise.all([core, fetched, script]).then(() => new Promise(() => {}));
  // Of Pyodide's own snapshot only the header is used: its memory is put in by `restore`. Pyodide
  // reads it last, so it may arrive while the core is compiled.
  const head = new Uint8Array(HEAD);
  const begin = async () =>
    (await pyodideModule).loadPyodide({
      ...OPTIONS,
      indexURL,
      // Asked for at the end, when the snapshot is here; without it Python never gets so far.
      lockFileContents: fetched.then(({ lock }) => lock, () => new Promise(() => {})),
      stdLibURL: NOTHING, // the standard library comes later, if ever: see later.py
      _loadSnapshot: head,
      createPyodideModule: async (/** @type {any} */ settings) => {
        const module = await createModule((await script).default, settings, libraries);
        const snapshot = await fetched;
        restore(module, snapshot);
        module.API.rawRun = () => [0, ""]; // imports what is in memory; see restored.py for what follows
        head.set(Uint8Array.from(atob(snapshot.pyodide), (letter) => letter.charCodeAt(0)));
        new DataView(head.buffer).setUint32(4, HEAD, true); // where memory begins: no byte follows
        return module;
      },
    });
  const pyodide = await Promise.race([begin(), failed]);
  pyodide.registerJsModule("pynet_site", { fetch: fetchNow });
  const restored = pyodide.pyimport("restored");
  restored.wake();
  restored.destroy();
  return { pyodide, networks: (await fetched).networks };
}
const HEAD = 4096;

/** What later.py asks for, by the names it has for them. */
const ARCHIVES = /^runtime\/pyodide\/(python_stdlib\.zip|numpy-.*\.whl)$/;

/**
 * Fetch a file while Python waits, which only a worker may: an import cannot wait otherwise.
 * @param {string} name
 * @returns {Uint8Array}
 * @throws {Error} One line on what failed.
 */
function fetchNow(name) {
  const end = name.slice(name.lastIndexOf("."));
  const asset = Object.keys(ASSETS).find((path) => ARCHIVES.test(path) && path.endsWith(end));
  const request = new XMLHttpRequest();
  request.open("GET", urlOf(asset ?? name), false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`${name} could not be fetched (${request.status})`);
  return new Uint8Array(request.response);
}
