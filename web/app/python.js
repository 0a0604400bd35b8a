// @ts-check
/** Runs inside PyScript's worker, which imports it as its "version" of Pyodide: it starts the Pyodide
 *  of the site, from a snapshot before PyScript has come, and reports to the page what PyScript keeps
 *  to itself: stages, bytes, failed downloads, and a lock that is free again when the worker dies. */

import { storedAt, unpack, urlOf } from "./site.js";
import * as snapshot from "./snapshot.js";

/**
 * @typedef {object} Report
 * @property {number} [received] Bytes that have arrived.
 * @property {string} [stage] What PyScript does.
 * @property {string} [failed] Why the worker is of no use any more.
 * @property {string} [lock] The name of a lock that is free when the worker is gone.
 * @property {string[]} [restored] Python runs, from a snapshot with these networks.
 * @property {boolean} [listening] PyScript listens in a worker that was there before it.
 * @property {string} [unusable] Why the snapshot cannot be used here.
 */

/** @param {Report} report */
const tell = (report) => postMessage({ pynet: report });

/** The last part of an address, for messages. @param {string} url */
const nameOf = (url) => new URL(url, import.meta.url).pathname.split("/").pop() ?? url;

/**
 * Hold a lock for as long as this worker lives. No event tells a page that its worker was
 * terminated or ran out of memory, but its locks are given up then.
 */
function holdLock() {
  if (!navigator.locks) return; // needs https or localhost; without it time limits must do
  const lock = `pynet-${crypto.randomUUID()}`;
  navigator.locks.request(lock, () => {
    tell({ lock });
    return new Promise(() => {});
  });
}

/**
 * The same stream; `onError` is called where it breaks off.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {() => void} onError
 */
function heard(stream, onError) {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch((error) => {
        onError();
        throw error;
      });
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/**
 * Count the bytes that arrive, and report a download that fails: Pyodide only warns then, and
 * waits for ever. Python wheels and wasm get their own type from us, since a server that does not
 * know .wasm would stop it from compiling.
 */
function watchDownloads() {
  const fetchPlain = self.fetch.bind(self);
  self.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const address = storedAt(url);
    // A packed file is not the one that Pyodide's list has the hash of; its address holds its own.
    const answer = address === url ? fetchPlain(input, init) : fetchPlain(address);
    const response = await answer.catch((error) => {
      tell({ failed: `${nameOf(url)} could not be fetched` });
      throw error;
    });
    if (!response.ok) tell({ failed: `${nameOf(url)} could not be fetched (${response.status})` });
    if (!response.ok || !response.body) return response;
    const headers = new Headers(response.headers);
    if (url.endsWith(".wasm")) headers.set("Content-Type", "application/wasm");
    const counter = new TransformStream({
      transform(chunk, controller) {
        tell({ received: chunk.byteLength });
        controller.enqueue(chunk);
      },
    });
    headers.delete("Content-Encoding");
    headers.delete("Content-Length");
    const body = await unpack(response.body.pipeThrough(counter));
    const whole = heard(body, () => tell({ failed: `${nameOf(url)} broke off` }));
    return new Response(whole, { status: response.status, headers });
  };

  const instantiate = WebAssembly.instantiateStreaming;
  WebAssembly.instantiateStreaming = async (source, imports) => {
    try {
      return await instantiate(source, imports);
    } catch (error) {
      tell({ failed: `Python could not be compiled (${error instanceof Error ? error.message : error})` });
      throw error;
    }
  };
}

/** Become PyScript's worker: run the script that it would have started one with. */
function awaitPyScript() {
  addEventListener("message", ({ data }) => {
    const add = self.addEventListener.bind(self);
    /** @param {string} type @param {any} listener @param {any} [options] */
    self.addEventListener = (type, listener, options) => {
      add(type, listener, options);
      if (type !== "message" || !options?.once) return; // Pyodide listens too, and not once
      self.addEventListener = add;
      tell({ listening: true }); // what PyScript's page has sent may come now
    };
    import(data.run).catch((error) => tell({ unusable: String(error) }));
  }, { once: true });
}

/** The page asks for the ordinary start by #ordinary; PyScript has made the worker then. */
const ordinary = import.meta.url.endsWith("#ordinary");
if (!ordinary) awaitPyScript();
addEventListener("py:progress", (event) => {
  if (event instanceof CustomEvent) tell({ stage: String(event.detail) });
});
holdLock();
watchDownloads();

/** @type {Promise<typeof import("../runtime/pyodide/pyodide.mjs")>} */
const imported = import(urlOf("runtime/pyodide/pyodide.mjs"));
const indexURL = new URL("./", urlOf("runtime/pyodide/pyodide.mjs")).href;

/** From a snapshot, at once: PyScript comes to this worker later. */
const restored = ordinary ? null : snapshot.start(imported, indexURL);

restored?.then(
  ({ networks }) => tell({ restored: networks }),
  (error) => tell({ unusable: error instanceof Error ? error.message : String(error) }),
);

const pyodide = await imported.catch((error) => {
  tell({ failed: "pyodide.mjs could not be fetched" });
  throw error;
});

export const version = pyodide.version;

/**
 * Start Python from the snapshot, or else the ordinary way, from the site's own folder.
 * @param {{ stdout: (text: string) => void, stderr: (text: string) => void }} options From PyScript.
 */
export async function loadPyodide(options) {
  if (!restored) return pyodide.loadPyodide({ ...options, indexURL });
  const python = (await restored).pyodide;
  python.setStdout({ batched: options.stdout });
  python.setStderr({ batched: options.stderr });
  return python;
}
