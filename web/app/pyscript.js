// @ts-check
/** Loads PyScript, and chooses the workers that it runs in. */

import { urlOf } from "./site.js";

/** Only loading the page anew can cure this: browsers remember a module that failed to load. */
export class ReloadNeeded extends Error {}

/** @typedef {Record<string, (...values: unknown[]) => Promise<any>>} Calls */
/** @typedef {(file: string, options: object) => Promise<{ sync: Calls }>} MakeWorker */

/** PyScript's PyWorker, once it is loaded. @type {MakeWorker | null} */
let makeWorker = null;

/** Whether PyScript is here. */
export const loadedPyScript = () => makeWorker !== null;

/**
 * What PyScript's next workers are to be, in the order of asking: one that exists, or whoever is to
 * have the one that it makes.
 * @type {(Worker | ((worker: Worker) => void))[]}
 */
const wanted = [];

/**
 * Say what the next worker that PyScript asks for is to be.
 * @param {Worker | ((worker: Worker) => void)} next
 */
export const giveWorker = (next) => wanted.push(next);

/** Messages to workers that do not listen yet. @type {WeakMap<Worker, [unknown, any][]>} */
const held = new WeakMap();

/**
 * The Worker class that PyScript gets. PyScript hands its worker out only when that is ready; to hear
 * its reports and to stop one that hangs we need it before. And one in which Python runs already, from
 * the snapshot, takes the place of a new one: it runs PyScript's script as well.
 */
class GivenWorker extends Worker {
  /** @param {string | URL} url @param {WorkerOptions} [options] */
  constructor(url, options) {
    const next = wanted.shift();
    if (next instanceof Worker) {
      Object.setPrototypeOf(next, new.target.prototype); // PyScript derives a class of its own
      next.postMessage({ run: String(url) });
      held.set(next, []);
      return next;
    }
    super(url, options);
    next?.(this);
  }

  /**
   * @overload
   * @param {unknown} message
   * @param {Transferable[]} transfer
   * @returns {void}
   */
  /**
   * @overload
   * @param {unknown} message
   * @param {StructuredSerializeOptions} [options]
   * @returns {void}
   */
  /** @param {unknown} message @param {any} [options] */
  postMessage(message, options) {
    const waiting = held.get(this);
    if (waiting) waiting.push([message, options]);
    else super.postMessage(message, options);
  }
}

/** Send what was held back for a worker that listens now. @param {Worker} worker */
export function release(worker) {
  const messages = held.get(worker) ?? [];
  held.delete(worker);
  const { postMessage } = Worker.prototype; // PyScript gives its workers another one
  for (const message of messages) postMessage.apply(worker, message);
}

/** The loading that is under way or done. @type {Promise<MakeWorker> | null} */
let loading = null;

/**
 * Load PyScript, with our class of workers.
 * @returns {Promise<MakeWorker>}
 * @throws {ReloadNeeded}
 */
export const loadPyScript = () => (loading ??= load());

/** @returns {Promise<MakeWorker>} */
async function load() {
  const Plain = globalThis.Worker;
  globalThis.Worker = GivenWorker;
  try {
    const url = urlOf("runtime/pyscript/core.js");
    const { PyWorker, hooks } = await import(url);
    makeWorker = (file, options) => {
      // What PyScript's plugins would have a worker do before its Python, it turns into functions
      // from text, which the Content-Security-Policy forbids; nothing of it is needed here.
      for (const hook of Object.values(hooks.worker)) hook.clear();
      return PyWorker(file, options);
    };
    return makeWorker;
  } catch (error) {
    loading = null;
    throw new ReloadNeeded("PyScript could not be fetched", { cause: error });
  } finally {
    globalThis.Worker = Plain; // PyScript keeps the class that it found
  }
}
