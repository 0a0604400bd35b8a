// @ts-check
/** Keeps one whole build of the site on the device and answers from there, with or without a network.
 *
 *  What makes it safe to update:
 *  - The list of files, written in front of this text by the build, belongs to this text: a new build
 *    is a new service worker, and the browser installs it beside the one in use.
 *  - A worker answers nothing before it holds all that a visit needs, each file with the right
 *    hash. An installation that breaks off changes nothing; the next one goes on where it ended.
 *  - An address names its content: it holds a hash. So a page gets the files of the build that it came
 *    from, whichever worker answers it; index.html alone decides which build that is.
 *
 *  In the manner of jakearchibald/svgomg, src/js/sw/index.js; the life of a worker is described in
 *  W3C, Service Workers, 2.1 (https://www.w3.org/TR/service-workers/#service-worker-lifetime). */

const worker = /** @type {import("./sw").ServiceWorkerScope} */ (/** @type {unknown} */ (self));
const { scope } = worker.registration;

/** Caches belong to all pages of an origin: ours name the folder of the site. */
const PREFIX = `pynet ${scope} `;
const NAME = PREFIX + BUILD.name;

/** Where a file of the list is asked for. Some hosts redirect from index.html to its folder. */
const address = (/** @type {string} */ path) =>
  new URL(path === "index.html" ? "./" : path, scope).href;

/** The hash of bytes, SHA-256 in hex. @param {ArrayBuffer} bytes */
async function hashOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Undo gzip where a host has left it. @param {ArrayBuffer} bytes @param {string} url */
function unpacked(bytes, url) {
  const [one, two] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  if (!url.endsWith(".gz") || one !== 0x1f || two !== 0x8b) return bytes;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** What is stored twice, plain and as gzip: the plain one has this name, whatever it holds. */
const TWICE = ".wasm";

/** Whether an answer was compressed on the way. @param {Response} response */
const compressed = (response) => response.ok && response.headers.has("Content-Encoding");

/** Whether the host compresses the page. @type {Promise<boolean> | undefined} */
let compresses;

/**
 * Ask for what is stored twice: the plain one where the host compresses it on the way, else the other.
 * The browser may have the same from the page's own request; see app/downloads.js.
 * @param {string} url
 * @param {RequestInit} options
 */
async function smaller(url, options) {
  compresses ??= fetch(address("index.html")).then(compressed, () => false);
  if (await compresses) {
    const response = await fetch(url, options);
    if (compressed(response)) return response;
    await response.body?.cancel(); // it has other rules for this file
  }
  return fetch(`${url}.gz`, options);
}

/** What other builds left on the device, by its hash. @returns {Promise<Map<string, Response>>} */
async function held() {
  const found = new Map();
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    for (const response of await (await caches.open(name)).matchAll()) {
      found.set(response.headers.get("ETag"), response);
    }
  }
  return found;
}

/**
 * Put a file into the cache, from the nearest place that has it.
 * @param {Cache} cache
 * @param {string} url
 * @param {string} hash
 * @param {Response | undefined} old What another build holds under this hash.
 */
async function keep(cache, url, hash, old) {
  const get = url.endsWith(TWICE) ? smaller : fetch;
  const sources = [
    async () => old?.clone(), // two files may hold the same
    () => get(url, { priority: "low" }), // the browser may have it from the page's own request
    () => get(url, { priority: "low", cache: "reload" }), // and what it has may be outdated
  ];
  for (const source of sources) {
    const response = await source().catch(() => undefined);
    if (!response?.ok) continue;
    const bytes = await response.arrayBuffer();
    const content = await unpacked(bytes, response.url || url);
    if ((await hashOf(content)) !== hash) continue;
    // A response of its own: no page can be opened from one that came by way of a redirect.
    const plain = url.endsWith(TWICE);
    const type = plain ? "application/wasm" : response.headers.get("Content-Type");
    const headers = { "Content-Type": type ?? "application/octet-stream", ETag: hash };
    return cache.put(url, new Response(plain ? content : bytes, { headers }));
  }
  throw new Error(`${url} could not be fetched, or is of another build`);
}

/**
 * Hold a list of files, one after another, since the page has the better right to the network.
 * @param {Readonly<Record<string, string>>} files
 */
async function fill(files) {
  const cache = await caches.open(NAME);
  const here = new Set((await cache.keys()).map(({ url }) => url)); // an installation may break off
  const old = await held();
  for (const [path, hash] of Object.entries(files)) {
    if (!here.has(address(path))) await keep(cache, address(path), hash, old.get(hash));
  }
}

/** Fetch the build. */
async function install() {
  const first = !worker.registration.active;
  try {
    await fill(BUILD.files);
    if (!first) await fill(BUILD.ordinary);
  } catch (error) {
    // Half a build in a full storage is of no use.
    if (error instanceof Error && error.name === "QuotaExceededError") await caches.delete(NAME);
    const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    for (const page of pages) page.postMessage({ notKept: String(error) });
    throw error;
  }
  await worker.skipWaiting();
}

/**
 * Hold as well what Python needs where it cannot start from its snapshot. Most devices never ask for
 * it, so a first visit does without; a page that needed it, and each later one, sends for it. Such a
 * page may have come from the worker before this one, and learns that here.
 * @param {import("./sw").Message} message
 */
async function complete({ source, data }) {
  const ours = data.module.replace(scope, "") in BUILD.files;
  if (!ours) source?.postMessage({ newer: true });
  await fill(BUILD.ordinary).then(
    () => source?.postMessage({ kept: true }),
    (error) => data.needed && source?.postMessage({ notKept: String(error) }),
  );
  if (ours && source) await forget(source.id);
}

/**
 * Forget older builds when no page can need them: when none is open but one that comes, or is of this one.
 * @param {string} [page] The id of that page.
 */
async function forget(page) {
  const names = await caches.keys(); // first: what is installed from now on is not among them
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const { installing, waiting } = worker.registration;
  if (installing || waiting || pages.some(({ id }) => id !== page)) return;
  for (const name of names) {
    if (name === NAME) return; // they stand in order of age; a newer one is to go on where it broke off
    if (name.startsWith(PREFIX)) await caches.delete(name);
  }
}

/** @param {Request} request @returns {Promise<Response>} */
async function answer(request) {
  const { origin, pathname } = new URL(request.url);
  const path = (origin + pathname).replace(scope, "");
  const home = request.mode === "navigate" && ["", "index.html"].includes(path); // whatever its query
  const wanted = home ? address("index.html") : request.url;
  const cache = await caches.open(NAME);
  const plain = wanted.endsWith(`${TWICE}.gz`) ? wanted.slice(0, -3) : wanted; // the page takes both
  const held = (await cache.match(plain)) ?? (await caches.match(plain)) ?? (await caches.match(wanted));
  return held ?? fetch(request);
}

/**
 * Have the browser answer from this build's cache by itself, where it can: then this worker is not started
 * for a visit, nor asked for each file. What is not in the cache comes from the network. (Service Workers
 * Nightly, "InstallEvent.addRoutes", in Chromium from 123 on.)
 * @param {import("./sw").Installing} event
 */
async function route(event) {
  const rules = Object.keys(BUILD.files).map((path) => {
    const [file, query = ""] = address(path).split("?");
    // With its query, if only an empty one: a pattern without it fits them all, and a cache does not.
    return {
      condition: { urlPattern: `${file}\\?${query}`, requestMethod: "get" },
      source: { cacheName: NAME },
    };
  });
  await event.addRoutes?.(rules).catch(() => {}); // then this worker answers
}

worker.addEventListener("install", (event) => {
  event.waitUntil(route(event));
  event.waitUntil(install());
});
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("message", (event) => {
  event.waitUntil(event.data.takeOver ? worker.skipWaiting() : complete(event));
});
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return;
  event.respondWith(answer(request));
  if (request.mode === "navigate") event.waitUntil(forget());
});
