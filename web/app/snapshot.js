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
import { connect, fetchNow } from "./halves.js";
import { HEAD, OPTIONS, createModule, fillHead, restore } from "./memory.js";
import { nameAt, urlOf } from "./site.js";
import { CORE, libraries } from "./sources.js";

/** An address that nothing is fetched from. */
const NOTHING = new URL("nothing", import.meta.url).href;

/**
 * Begin at once what Pyodide would do one after the other: fetch and compile its core and the libraries.
 * @param {import("./sources.js").Source} from
 * @returns {{ done: Promise<unknown>, end: () => void }} Done when all are compiled. Pyodide is not told if
 *   that fails: it would wait. At the end all is as it was.
 */
function workAhead(from) {
  const fetchPlain = self.fetch.bind(self);
  const { instantiate, instantiateStreaming } = WebAssembly;
  const compiled = from.core();
  /** Libraries by the very bytes that Emscripten gets.
   *  @type {Map<ArrayBuffer, { name: string, module: Promise<WebAssembly.Module> }>} */
  const modules = new Map();
  /** @type {Promise<unknown>[]} */
  const started = [compiled];
  const ahead = new Map([...libraries.values()].map((name) => [urlOf(name), compile(name)]));

  /** @param {string} name */
  async function compile(name) {
    const bytes = await from.library(name);
    const module = WebAssembly.compile(bytes);
    modules.set(bytes, { name, module });
    module.catch(() => {}); // told to whoever waits for all
    started.push(module);
    return bytes;
  }

  self.fetch = async (input, init) => {
    const url = String(input instanceof Request ? input.url : input);
    const bytes = ahead.get(url);
    ahead.delete(url);
    if (bytes) return Object.defineProperty(new Response(), "arrayBuffer", { value: () => bytes });
    return url === NOTHING || nameAt(url) === CORE ? new Response() : fetchPlain(input, init);
  };
  /** @param {string} name @param {WebAssembly.Module} module @param {WebAssembly.Imports} [imports] */
  const both = async (name, module, imports) => {
    const instance = await instantiate(module, imports);
    return { module, instance: connect(name, instance, imports) };
  };
  WebAssembly.instantiateStreaming = async (_, imports) => both(CORE, await compiled, imports);
  WebAssembly.instantiate = /** @type {any} */ (async (/** @type {any} */ source, /** @type {any} */ imports) => {
    const ours = modules.get(source.buffer);
    modules.delete(source.buffer);
    return ours ? both(ours.name, await ours.module, imports) : instantiate(source, imports);
  });
  const done = Promise.all([compiled, ...ahead.values()]).then(() => Promise.all(started));
  const end = () => {
    self.fetch = fetchPlain;
    Object.assign(WebAssembly, { instantiate, instantiateStreaming });
  };
  return { done, end };
}

/**
 * Start Python from the snapshot.
 * @param {Promise<{ loadPyodide: (options: object) => Promise<Pyodide> }>} pyodideModule
 * @param {string} indexURL The folder that Pyodide looks for its core in.
 * @param {import("./sources.js").Source} from
 * @returns {Promise<{ pyodide: Pyodide, networks: string[] }>}
 * @throws {Error} One line on what does not fit.
 */
export async function start(pyodideModule, indexURL, from) {
  unite();
  const script = import(urlOf("runtime/pyodide/pyodide.asm.mjs"));
  const ahead = workAhead(from);
  const failed = Promise.all([ahead.done, from.snapshot, script]).then(() => new Promise(() => {}));
  const head = new Uint8Array(HEAD);
  const begin = async () =>
    (await pyodideModule).loadPyodide({
      ...OPTIONS,
      indexURL,
      // Asked for at the end, when the snapshot is here; without it Python never gets so far.
      lockFileContents: from.snapshot.then(({ lock }) => lock, () => new Promise(() => {})),
      stdLibURL: NOTHING, // the standard library comes later, if ever: see later.py
      _loadSnapshot: head,
      createPyodideModule: async (/** @type {any} */ settings) => {
        const places = new Map([...libraries].map(([path, name]) => [path, urlOf(name)]));
        const module = await createModule((await script).default, settings, places);
        const snapshot = await from.snapshot;
        restore(module, snapshot);
        fillHead(snapshot, head);
        return module;
      },
    });
  const pyodide = await Promise.race([begin(), failed]).catch(async (error) => {
    await from.forget();
    throw error;
  });
  ahead.end();
  pyodide.registerJsModule("pynet_site", { fetch: fetchArchive });
  const restored = pyodide.pyimport("restored");
  restored.wake();
  restored.destroy();
  return { pyodide, networks: (await from.snapshot).networks };
}

/** What later.py asks for, by the names that it has for them. */
const ARCHIVES = /^runtime\/pyodide\/(python_stdlib\.zip|numpy-.*\.whl)$/;

/** @param {string} name @returns {Uint8Array} The archive. @throws {Error} When it cannot be had. */
function fetchArchive(name) {
  const end = name.slice(name.lastIndexOf("."));
  return fetchNow(Object.keys(ASSETS).find((path) => ARCHIVES.test(path) && path.endsWith(end)) ?? name);
}
