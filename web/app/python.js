// @ts-check
/** Runs inside PyScript's worker, which imports it as its "version" of Pyodide: it starts the Pyodide
 *  of the site, from a snapshot before PyScript has come, and answers the page until then. It reports
 *  to the page what PyScript keeps to itself: stages, bytes, failed downloads, and a lock that is free
 *  again when the worker dies. */

import { watchDownloads } from "./downloads.js";
import { urlOf } from "./site.js";
import * as snapshot from "./snapshot.js";

/**
 * @typedef {object} Report
 * @property {number} [received] Bytes that have arrived.
 * @property {string} [stage] What PyScript does.
 * @property {string} [failed] Why the worker is of no use any more.
 * @property {string} [lock] The name of a lock that is free when the worker is gone.
 * @property {{ networks: string[], port: MessagePort }} [restored] Python runs, from a snapshot with these
 *   networks, and can be called through this port.
 * @property {boolean} [listening] PyScript listens in a worker that was there before it.
 * @property {string} [unusable] Why the snapshot cannot be used here.
 */

/** @param {Report} report @param {Transferable[]} [transfer] */
const tell = (report, transfer = []) => postMessage({ pynet: report }, { transfer });

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

/** Report a core that does not compile: Pyodide would wait for ever. */
function watchCompiler() {
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

/** The page has PyScript's script for this worker: run it. @param {string} script Its address. */
function becomePyScripts(script) {
  const add = self.addEventListener.bind(self);
  /** @param {string} type @param {any} listener @param {any} [options] */
  self.addEventListener = (type, listener, options) => {
    add(type, listener, options);
    if (type !== "message" || !options?.once) return; // Pyodide listens too, and not once
    self.addEventListener = add;
    tell({ listening: true }); // what PyScript's page has sent may come now
  };
  import(script).catch((error) => tell({ unusable: String(error) }));
}

/**
 * Wait for the page's word; when PyScript has come, it says that too.
 * @returns {Promise<import("./downloads.js").Form>} The form in which the files are to come.
 */
function begun() {
  return new Promise((resolve) => {
    addEventListener("message", function hear({ data }) {
      if (data.begin) resolve(data.begin);
      if (!data.run) return;
      removeEventListener("message", hear);
      becomePyScripts(data.run);
    });
  });
}

/** What the page wants: the ordinary start of Python, where PyScript has made this worker, or else one
 *  from the snapshot. */
const ordinary = new URL(import.meta.url).hash === "#ordinary";
const form = ordinary ? "packed" : await begun();

addEventListener("py:progress", (event) => {
  if (event instanceof CustomEvent) tell({ stage: String(event.detail) });
});
holdLock();
watchDownloads(form, tell);
watchCompiler();

/** @type {Promise<typeof import("../runtime/pyodide/pyodide.mjs")>} */
const imported = import(urlOf("runtime/pyodide/pyodide.mjs"));
const indexURL = new URL("./", urlOf("runtime/pyodide/pyodide.mjs")).href;

/**
 * Have the page call the functions of worker.py, which the snapshot holds, until PyScript is here.
 * @param {Pyodide} python
 * @returns {MessagePort} Takes [name, ...values], and gives what the function returns.
 */
function answerThrough(python) {
  const worker = python.pyimport("worker");
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data: [name, ...values] }) => {
    try {
      port1.postMessage(worker[name](...values));
    } catch (error) {
      tell({ failed: String(error).trim().split("\n").pop() });
    }
  };
  return port2;
}

/** From a snapshot, at once: PyScript comes to this worker later. */
const restored = ordinary ? null : restore();

async function restore() {
  const { pyodide, networks } = await snapshot.start(imported, indexURL);
  const port = answerThrough(pyodide);
  tell({ restored: { networks, port } }, [port]);
  return pyodide;
}

restored?.catch((error) => tell({ unusable: error instanceof Error ? error.message : String(error) }));

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
  const python = await restored;
  python.setStdout({ batched: options.stdout });
  python.setStderr({ batched: options.stderr });
  return python;
}
