// @ts-check
/** Fetches what the site ships, the list of networks and their weights, and remembers the choice. */

import { urlOf } from "./site.js";

/** @typedef {import("./store.js").Network} Network */

/** How long one file may take in all, in milliseconds: 1 MB at 10 kB a second. */
const LIMIT = 100_000;

/**
 * @param {string} file Name in weights/.
 * @returns {Promise<Response>}
 * @throws {Error} One line that names the file.
 */
async function fetchFile(file) {
  const signal = AbortSignal.timeout(LIMIT);
  const response = await fetch(urlOf(`weights/${file}`), { signal }).catch(() => null);
  if (!response) throw new Error(`weights/${file} could not be fetched`);
  if (!response.ok) throw new Error(`weights/${file} could not be fetched (${response.status})`);
  return response;
}

/**
 * @returns {Promise<Network[]>} The shipped networks, the default one first.
 * @throws {Error} One line on what is wrong with the list.
 */
export async function fetchList() {
  const response = await fetchFile("index.json");
  const list = await response.json().catch(() => null);
  const valid = Array.isArray(list) && list.length > 0 &&
    list.every((row) => typeof row?.name === "string" && typeof row.file === "string");
  if (!valid) throw new Error("weights/index.json: expected a list of networks");
  return list;
}

/**
 * @param {Network} network
 * @returns {Promise<Uint8Array>} The bytes of its weights file.
 * @throws {Error} One line that names the file.
 */
export async function fetchWeights(network) {
  const response = await fetchFile(network.file);
  const bytes = await response.arrayBuffer().catch(() => null);
  if (!bytes) throw new Error(`weights/${network.file} broke off`);
  return new Uint8Array(bytes);
}

/** Under which name the choice is kept; an origin may hold several copies of the site. */
const CHOICE = `network of ${urlOf("")}`;

/** The network that was chosen on an earlier visit, if the browser may keep such things. */
export function choice() {
  try {
    return localStorage.getItem(CHOICE);
  } catch {
    return null;
  }
}

/** @param {string} name */
export function keepChoice(name) {
  try {
    localStorage.setItem(CHOICE, name);
  } catch {} // it is not kept, then
}
