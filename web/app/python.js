// @ts-check
/** Runs inside PyScript's worker, which imports it as its "version" of Pyodide: it starts the Pyodide
 *  of the site, from a snapshot before PyScript has come, and answers the page until then. It reports
 *  to the page what PyScript keeps to itself: stages, bytes, failed downloads, and a lock that is free
 *  again when the worker dies. */

import { watchDownloads } from "./downloads.js";
import { complete, connect } from "./halves.js";
import { openImage } from "./image.js";
import { available, urlOf } from "./site.js";
import * as snapshot from "./snapshot.js";
import { CORE, source } from "./sources.js";

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
      const { module, instance } = await instantiate(source, imports);
      const core = connect(CORE, instance, imports);
      await complete(); // an ordinary start needs all of it
      return { module, instance: core };
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

/** Have the next visit start from this device; see sources.js. */
let keep = async () => {};

/**
 * Go on when the page has its first answer, or could have: with the rest of the code, with PyScript, and
 * with what makes the next visit quicker.
 * @param {string} script The address of PyScript's script.
 */
async function goOn(script) {
  started();
  try {
    await complete();
  } catch (error) {
    return tell({ unusable: error instanceof Error ? error.message : String(error) });
  }
  becomePyScripts(script);
  await keep().catch(() => {}); // no room, or not in this browser: the next visit is as this one
}

/**
 * What the page says to an early worker (early.js).
 * @param {"begin" | "image" | "run"} key
 * @returns {Promise<any>} The value of the first message with this key.
 */
function heard(key) {
  return new Promise((resolve) => {
    addEventListener("message", function hear({ data }) {
      if (data?.[key] === undefined) return;
      removeEventListener("message", hear);
      resolve(data[key]);
    });
  });
}

/** What the page wants stands in the address: a start from the snapshot, and PyScript later; or, where
 *  PyScript has made this worker, the ordinary one, with files in the form that the page names. */
const [wish, ordinaryForm] = new URL(import.meta.url).hash.slice(1).split("-");
const early = wish === "snapshot";
if (early && !available) close(); // the site has none; nothing that follows happens then
/** Where an earlier visit may have left everything: opened, and nothing read of it yet. */
const image = early ? heard("image").then(openImage) : null;
if (early) heard("run").then(goOn);
const form = /** @type {import("./downloads.js").Form} */ (early ? await heard("begin") : ordinaryForm);

addEventListener("py:progress", (event) => {
  if (event instanceof CustomEvent) tell({ stage: String(event.detail) });
});
holdLock();
const started = watchDownloads(form, tell);
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
const restored = early ? restore() : null;

async function restore() {
  const from = source(await image);
  if (from.here) tell({ received: Infinity });
  const { pyodide, networks } = await snapshot.start(imported, indexURL, from);
  const port = answerThrough(pyodide);
  tell({ restored: { networks, port } }, [port]);
  keep = from.keep;
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
