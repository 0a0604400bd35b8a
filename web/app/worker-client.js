// @ts-check
/** The one module that talks to the worker: starts Python there, notices when it dies or hangs, and
 *  rejects what waits for it then. What the answers mean is not its business. */

import { ReloadNeeded, giveWorker, loadPyScript, loadedPyScript, release } from "./pyscript.js";
import { available, urlOf } from "./site.js";

/** @typedef {import("./python.js").Report} Report */
/** @typedef {Record<string, (...values: unknown[]) => Promise<any>>} Calls */

/** A start that reports nothing for so long has failed: an old telephone starts Python in 30 s. */
const START_LIMIT = 60_000;

/** The same from a snapshot, which needs less, and hangs in an engine that it does not fit. */
const SNAPSHOT_LIMIT = 20_000;

/** An answer takes milliseconds, loading a network less than a second: after this it hangs. */
const ANSWER_LIMIT = 15_000;

/** How long Python runs from the snapshot until PyScript is loaded, in milliseconds: until then the first
 *  answer has the processor for itself. */
const PAUSE = 300;

/** An error that ends the worker: it must be started again. */
export class WorkerLost extends Error {}

/** Python cannot start from the snapshot here; it can the ordinary way. */
export class SnapshotUnusable extends Error {}

/** The Python that the worker runs. */
const WORKER_FILE = urlOf("worker.py");

/** What pyscript.json says, less the packages and files: those are in the snapshot. */
const RESTORED = { packages_cache: "passthrough", sync_main_only: true };

/** See that worker.py is there: PyScript, where it is not, waits for ever. */
async function checkWorkerFile() {
  const response = await fetch(WORKER_FILE).catch(() => null);
  const answer = response?.status ?? "no answer";
  if (!response?.ok) throw new WorkerLost(`worker.py could not be fetched (${answer})`);
}

/**
 * Call functions of worker.py in a worker without PyScript: see answerThrough in python.js.
 * @param {MessagePort} port
 * @returns {Calls}
 */
function callsThrough(port) {
  /** @type {((result: any) => void)[]} */
  const waiting = []; // answers come in the order of the questions
  port.onmessage = ({ data }) => waiting.shift()?.(data);
  /** @param {string} name */
  const caller = (name) => (/** @type {unknown[]} */ ...values) =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port.postMessage([name, ...values]);
    });
  return { load_network: caller("load_network"), classify: caller("classify") };
}

/** One running worker. */
export class WorkerClient {
  /** @type {Worker | null} */
  #worker = null;
  /** Networks that Python held from the start. @type {string[]} */
  networks = [];
  /** @type {Calls | null} */
  #calls = null;
  /** Rejects all that waits. @type {((reason: Error) => void)} */
  #lose = () => {};
  /** Rejected when the worker is lost, for whatever reason. @type {Promise<never>} */
  #lost = new Promise((_, reject) => (this.#lose = reject));
  /** @type {(port: MessagePort) => void} */
  #hasPort = () => {};
  /** Through which Python can be called before PyScript is here. @type {Promise<MessagePort>} */
  #port = new Promise((resolve) => (this.#hasPort = resolve));
  /** @type {() => void} */
  #settle = () => {};
  /** Fulfilled when nothing that Python starts with is still to come: PyScript is here, or will not be.
   *  @type {Promise<void>} */
  settled = new Promise((resolve) => (this.#settle = resolve));
  #ended = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #limit;

  /**
   * @param {object} options
   * @param {boolean} options.snapshot Start Python from the snapshot, where the site has one.
   * @param {(report: Report) => void} options.onReport Called while Python starts.
   * @param {(error: Error) => void} options.onLost Called once when a worker that had started is lost.
   */
  constructor({ snapshot, onReport, onLost }) {
    /** @type {"snapshot" | "ordinary"} */
    this.boot = snapshot && available ? "snapshot" : "ordinary";
    this.onReport = onReport;
    this.onLost = onLost;
    this.#lost.catch(() => {}); // whoever waits is told; nobody may be waiting
  }

  /**
   * Start Python in a new worker.
   * @returns {Promise<void>}
   * @throws {WorkerLost | ReloadNeeded | SnapshotUnusable} One line on what failed.
   */
  async start() {
    this.#limitStart();
    try {
      const ready = this.boot === "snapshot" ? this.#restore() : this.#boot();
      this.#calls = await Promise.race([ready, this.#lost]);
    } catch (error) {
      const known = [WorkerLost, ReloadNeeded, SnapshotUnusable].some((kind) => error instanceof kind);
      const reason = known && error instanceof Error ? error : this.#failure(lastLine(error));
      this.stop(reason);
      // The ordinary start waits for PyScript as well, which may still be on its way.
      const startAgain = loadedPyScript() || reason instanceof SnapshotUnusable;
      throw startAgain ? reason : new ReloadNeeded(reason.message);
    } finally {
      clearTimeout(this.#limit);
    }
  }

  /** Load PyScript and have it start Python and worker.py. @returns {Promise<Calls>} */
  async #boot() {
    const form = globalThis.formOfFiles?.() ?? "packed"; // the script that knows may not have come
    const version = new URL(`python.js#ordinary-${form}`, import.meta.url).href;
    const config = urlOf("pyscript.json");
    const calls = await this.#runPyScript((worker) => this.#adopt(worker), { version, config });
    this.#settle();
    return calls;
  }

  /** Start Python from the snapshot, before PyScript has come. @returns {Promise<Calls>} */
  async #restore() {
    const { worker, script, reports } = snapshotWorker();
    this.#adopt(worker);
    for (const { data } of reports) this.#hear(data.pynet);
    const calls = callsThrough(await this.#port);
    setTimeout(() => this.#handOver(worker, script), PAUSE);
    return calls;
  }

  /**
   * Give a worker that runs to PyScript, through which it is called from then on.
   * @param {Worker} worker
   * @param {string} version The address of what runs in it.
   */
  async #handOver(worker, version) {
    if (this.#ended.signal.aborted) return;
    try {
      const calls = await this.#runPyScript(worker, { version, config: RESTORED });
      if (this.#ended.signal.aborted) return;
      this.#calls = calls;
      this.#settle();
    } catch (error) {
      if (!this.#ended.signal.aborted) this.#goOnWithout(lastLine(error));
    }
  }

  /** Say that PyScript will not come. @param {string} reason */
  #goOnWithout(reason) {
    console.info(`${reason}; Python goes on without PyScript`);
    this.#settle();
  }

  /**
   * @param {Parameters<typeof giveWorker>[0]} worker Where PyScript is to run, or who gets its worker.
   * @param {object} options Of PyWorker.
   * @returns {Promise<Calls>}
   */
  async #runPyScript(worker, options) {
    const [make] = await Promise.all([loadPyScript(), checkWorkerFile()]);
    this.#ended.signal.throwIfAborted();
    giveWorker(worker);
    return (await make(WORKER_FILE, { type: "pyodide", ...options })).sync;
  }

  /**
   * Call a function of worker.py.
   * @param {string} name
   * @param {...unknown} values
   * @returns {Promise<any>} What it returns.
   * @throws {WorkerLost} When the worker died or hangs; the same for all calls that wait.
   * @throws {Error} One line, when Python reported an error.
   */
  async call(name, ...values) {
    const run = this.#calls?.[name];
    if (!run) throw new WorkerLost("Python is not running");
    const limit = setTimeout(() => this.#fail("Python does not answer any more"), ANSWER_LIMIT);
    try {
      const result = await Promise.race([run(...values), this.#lost]);
      if (result.error) throw new Error(result.error);
      return result;
    } finally {
      clearTimeout(limit);
    }
  }

  /**
   * End the worker; everything that waits is rejected.
   * @param {Error} [reason]
   */
  stop(reason = new WorkerLost("Python was stopped")) {
    this.#ended.abort();
    clearTimeout(this.#limit);
    this.#calls = null;
    this.#worker?.terminate();
    this.#worker = null;
    this.#lose(reason);
  }

  /** Begin the time that a start may take without any report anew. */
  #limitStart() {
    const limit = this.boot === "snapshot" && this.#worker ? SNAPSHOT_LIMIT : START_LIMIT;
    const message = `Python made no progress for ${limit / 1000} seconds`;
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => this.#fail(message), limit);
  }

  /** What it means that this worker failed. @param {string} message */
  #failure(message) {
    const restoring = this.boot === "snapshot" && this.#calls === null;
    return new (restoring ? SnapshotUnusable : WorkerLost)(message);
  }

  /** Take over the worker that PyScript made for us. @param {Worker} worker */
  #adopt(worker) {
    if (this.#ended.signal.aborted) return worker.terminate();
    this.#worker = worker;
    this.#limitStart();
    worker.onmessage = null; // early.js listened until now
    worker.addEventListener("message", ({ data }) => {
      if (data?.pynet) this.#hear(data.pynet);
    });
  }

  /** @param {string} message */
  #fail(message) {
    if (this.#ended.signal.aborted) return;
    const started = this.#calls !== null;
    const reason = this.#failure(message);
    this.stop(reason);
    if (started) this.onLost(reason);
  }

  /** @param {Report} report */
  #hear(report) {
    if (this.#calls === null) this.#limitStart();
    if (report.listening && this.#worker) release(this.#worker);
    if (report.restored) {
      this.networks = report.restored.networks;
      this.#hasPort(report.restored.port);
    }
    const running = this.#calls !== null;
    if (report.unusable && running) this.#goOnWithout(report.unusable);
    else if (report.unusable) this.#fail(report.unusable);
    else if (report.failed) this.#fail(report.failed);
    else if (report.lock) this.#watch(report.lock);
    else if (!running) this.onReport(report);
  }

  /** Wait for the worker's lock: it is given to us when the worker is gone. @param {string} lock */
  #watch(lock) {
    navigator.locks
      .request(lock, { signal: this.#ended.signal }, () => this.#fail("Python stopped unexpectedly"))
      .catch(() => {}); // we ended the worker ourselves
  }
}

/** The last line of an error, which in a Python traceback is the message. @param {unknown} error */
function lastLine(error) {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n").pop() || "Python could not start";
}
