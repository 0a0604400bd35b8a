// @ts-check
/** Keeps the answer in step with the ink: starts Python, loads the chosen network, asks it about
 *  the newest drawing, and starts Python again when it is lost. Writes its findings to the store. */

import * as store from "./store.js";
import { flatten } from "./geometry.js";
import { choice, fetchList, fetchWeights, keepChoice } from "./networks.js";
import { follow } from "./progress.js";
import { ReloadNeeded } from "./pyscript.js";
import { available } from "./site.js";
import { SnapshotUnusable, WorkerClient, WorkerLost } from "./worker-client.js";

/** A worker that is lost again within this time, in milliseconds, is not started by itself any more. */
const PATIENCE = 60_000;

/** @type {WorkerClient | null} */
let client = null;
/** Networks that the present worker holds. @type {Set<string>} */
let loaded = new Set();
/** When a lost worker was last replaced without asking. */
let restarted = -Infinity;
/** The last failure can only be cured by loading the page anew. */
let reloadNeeded = false;
/** The snapshot of Python has not failed on this device. */
let snapshot = true;
/** Goes up with each start, so that what an earlier one still reports is ignored. */
let starts = 0;

/** Python answers a question at present; the newest ink waits for its turn. */
let busy = false;
/** There is ink, or a network, that was not asked about. */
let dirty = false;

/** @param {unknown} error @returns {string} */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/** @param {string} message @param {number} progress */
const report = (message, progress) => store.set({ phase: "loading", message, progress });

/** @param {string} problem One line: what failed. @param {string} [advice] What the visitor can do. */
function fail(problem, advice = "Press Retry to start again") {
  store.set({ phase: "error", message: `${problem}. ${advice}.`, answer: null });
}

/** @param {unknown} error */
function failWith(error) {
  const problem = messageOf(error);
  if (/fetch|broke off/i.test(problem)) fail(problem, "Check the connection, then press Retry");
  else if (problem.startsWith("weights/")) fail(problem, "Choose another network, or press Retry");
  else fail(problem);
}

/** Start Python and everything that depends on it. Never rejects. */
export async function start() {
  const turn = ++starts;
  if (typeof WebAssembly !== "object") {
    fail("This browser has no WebAssembly, which Python needs", "Allow it or use another browser");
    return;
  }
  client?.stop();
  loaded = new Set();
  busy = false;
  report(snapshot && available ? "Fetching Python" : "Fetching PyScript", 0.02);
  const progress = follow(snapshot && available);
  const worker = new WorkerClient({
    snapshot,
    onReport: (news) => {
      const said = progress(news);
      if (turn === starts && store.get().phase === "loading") report(said.message, said.progress);
    },
    onLost: (error) => turn === starts && recover(error),
  });
  client = worker;
  try {
    // The list of networks comes beside Python, not after it.
    await Promise.all([worker.start(), listNetworks()]);
  } catch (error) {
    if (turn !== starts) return;
    if (error instanceof SnapshotUnusable) {
      console.info(`${error.message}; starting Python without its snapshot`);
      snapshot = false;
      start();
      return;
    }
    reloadNeeded = error instanceof ReloadNeeded;
    worker.stop();
    failWith(error);
    return;
  }
  if (turn !== starts) return;
  loaded = new Set(worker.networks);
  store.set({ boot: worker.boot });
  worker.settled.then(() => turn === starts && store.set({ settled: true }));
  await tryModel();
}

/** Start again after a failure, on the visitor's wish. */
export function retry() {
  if (reloadNeeded) location.reload();
  else start();
}

/**
 * Replace a lost worker once by itself; when that does not last, leave it to the visitor.
 * @param {Error} error
 */
function recover(error) {
  const now = performance.now();
  if (now - restarted < PATIENCE) {
    client?.stop();
    failWith(error);
  } else {
    restarted = now;
    console.info(`${error.message}; starting it again`);
    store.set({ answer: null });
    start();
  }
}

/** Fetch the list of networks, once. */
async function listNetworks() {
  if (store.get().networks.length) return;
  const networks = await fetchList();
  const chosen = networks.find(({ name }) => name === choice()) ?? networks[0];
  store.set({ networks, model: chosen?.name ?? "" });
}

/** Choose a network by name. @param {string} name */
export function chooseModel(name) {
  keepChoice(name);
  store.set({ model: name, answer: null });
  if (store.get().phase === "loading") return; // start() uses what is chosen when it gets there
  tryModel();
}

/** Use the chosen network, or say why not; other networks may still work. Never rejects. */
async function tryModel() {
  const worker = client;
  try {
    await useModel();
  } catch (error) {
    // A worker that is lost meanwhile is reported by itself.
    if (worker === client && !(error instanceof WorkerLost)) failWith(error);
  }
}

/** Have the chosen network ready in Python, then ask it. */
async function useModel() {
  const worker = client;
  const { model, networks } = store.get();
  const network = networks.find(({ name }) => name === model);
  if (!worker || !network) return;
  if (!loaded.has(model)) {
    report(`Loading the network ${model}`, 0.95);
    const bytes = await fetchWeights(network);
    await worker.call("load_network", model, `weights/${network.file}`, bytes);
    if (worker !== client) return;
    loaded.add(model);
  }
  if (store.get().model !== model) return useModel(); // chosen meanwhile
  store.set({ phase: "ready", message: "Ready", progress: 1 });
  askSoon();
}

/**
 * Ask about the ink as it is now: at once if Python is free, else when it is, and never about
 * anything but the newest ink. Waiting for the screen's next frame would spare some questions
 * while the pen moves, but when it stops, the last one would wait too.
 */
export function askSoon() {
  dirty = true;
  const { phase, model, strokes } = store.get();
  const possible = phase !== "loading" && loaded.has(model);
  if (busy || !possible) return;
  dirty = false;
  if (strokes.length === 0) {
    store.set({ phase: "ready", message: "Ready", answer: null });
    return;
  }
  ask();
}

/** Ask about the ink once and show the answer. */
async function ask() {
  const { strokes, drawing, model, inkTime } = store.get();
  const worker = client;
  const asked = performance.now();
  busy = true;
  try {
    const { points, lengths } = flatten(strokes);
    const result = await worker?.call("classify", model, points, lengths);
    const now = store.get();
    // Ink that was taken away, or another network chosen, meanwhile: this answers an old question.
    if (!result || worker !== client || now.drawing !== drawing || now.model !== model) return;
    show(result, model, inkTime, asked);
  } catch (error) {
    if (worker === client && !(error instanceof WorkerLost)) failWith(error);
  } finally {
    if (worker === client) {
      busy = false;
      if (dirty) askSoon();
    }
  }
}

/** The inkTime of the last answer: a second one, by another network, is not counted from the pen. */
let answered = -1;

/**
 * Show an answer and announce it to whoever listens.
 * @param {{ digit: number, probabilities: Float32Array, refused: boolean, pixels: Float32Array }} result
 * @param {string} model
 * @param {number} inkTime
 * @param {number} asked When Python was asked, in milliseconds of the page's clock.
 */
function show(result, model, inkTime, asked) {
  // milliseconds runs from the dispatch of the last event that changed the ink (its timeStamp) to
  // the answer in the page. Where no such event caused the question (Python has just become ready,
  // another network was chosen) it runs from the question.
  const { phase, strokes } = store.get();
  if (strokes.length === 0) return;
  const from = inkTime > answered && inkTime > readySince ? inkTime : asked;
  answered = inkTime;
  const answer = {
    digit: result.digit,
    probabilities: Array.from(result.probabilities),
    refused: result.refused,
    pixels: result.pixels,
    milliseconds: 0,
    model,
  };
  store.set(phase === "error" ? { answer, phase: "ready", message: "Ready" } : { answer });
  const { digit, probabilities, refused } = answer;
  const milliseconds = performance.now() - from;
  document.dispatchEvent(
    new CustomEvent("pynet:prediction", {
      detail: { digit, probabilities, refused, milliseconds, model },
    }),
  );
}

/** When the page last became ready, on the same clock. */
let readySince = 0;
store.subscribe((now, before) => {
  if (now.phase === "ready" && before.phase !== "ready") readySince = performance.now();
});
