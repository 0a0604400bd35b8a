// @ts-check
/** Has a service worker (sw.js) keep the site on the device, and tells the store how that went: the
 *  page works without it as well. Begins when the page has been ready for a moment, and PyScript is
 *  here: so nothing competes with the first answer, and memory holds not all at the same time. */

import * as store from "./store.js";

/** Say once, to whoever looks into the console, why the page will need its server again. @param {string} reason */
function sayWhy(reason) {
  console.info(`This version of the page is not kept for offline use: ${reason}`);
  const { offline } = store.get();
  if (offline === "no" || offline === "keeping") store.set({ offline: isSecureContext ? "never" : "insecure" });
}

/** How long the page has been ready by then, in milliseconds: a drawing may wait for its answer. */
const PAUSE = 500;

/** Until then all of Python may come first, which takes memory and the network too. */
const LIMIT = 20_000;

/** After how long a newer worker that waits is asked again to take over, in milliseconds. */
const AGAIN = 5000;

function ready() {
  if (store.get().offline !== "update") store.set({ offline: "ready" });
}

/** Name the manifest, with which a visitor can install the page. It does not stand in index.html, for
 *  Chromium announces it in its address bar with an animation, and that takes the processor from Python. */
function offerInstallation() {
  const link = document.createElement("link");
  link.rel = "manifest";
  link.href = new URL("../manifest.webmanifest", import.meta.url).href;
  document.head.append(link);
}

/** @param {ServiceWorkerContainer} container */
async function register(container) {
  const again = Boolean(container.controller);
  container.addEventListener("message", ({ data }) => {
    if (data?.newer) store.set({ offline: "update" });
    else if (data?.notKept) sayWhy(data.notKept);
    else if (data?.kept) ready();
  });
  const registration = await container.register(new URL("../sw.js", import.meta.url));
  if (!registration) return sayWhy("this browser keeps no service worker"); // where one is forbidden
  const look = () => registration.update().catch(() => {}); // no network: nothing to look for
  if (again) look(); // registering does so the first time only
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") look(); // a page may stay open for weeks
  });
  // A newer worker cannot take over while the older one is busy, and Chromium does not look again.
  setInterval(() => registration.waiting?.postMessage({ takeOver: true }), AGAIN);
  const { active } = await container.ready;
  const needed = store.get().boot === "ordinary"; // Python did not start from its snapshot
  if (needed || again) active?.postMessage({ needed, module: import.meta.url });
  if (!needed) ready();
}

/** Keep the site for offline use once the first answer is possible, and watch for newer builds. */
function begin() {
  const container = navigator.serviceWorker;
  if (!container) return sayWhy("it needs https or localhost, and no private window");
  let { controller } = container;
  container.addEventListener("controllerchange", () => {
    // The first worker of a page keeps the build that is open; one after it keeps a newer build.
    if (controller) store.set({ offline: "update" });
    controller = container.controller;
  });
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let limit;
  const stop = store.subscribe(({ phase, settled }) => {
    if (phase !== "ready") return;
    limit ??= setTimeout(go, LIMIT);
    if (settled) go();
  });
  function go() {
    stop();
    clearTimeout(limit);
    setTimeout(() => {
      offerInstallation();
      if (!controller) store.set({ offline: "keeping" });
      register(container).catch(({ message }) => sayWhy(message));
    }, PAUSE);
  }
}

/** Begin; where even the look at service workers is forbidden, say so. */
export function start() {
  try {
    begin();
  } catch (error) {
    sayWhy(error instanceof Error ? error.message : String(error));
  }
}
