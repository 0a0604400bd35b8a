// @ts-check
/** Has a service worker (sw.js) keep the site on the device, and tells the store how that went: the
 *  page works without it as well. Begins when the page is ready, so that nothing competes with that. */

import * as store from "./store.js";

/** Say once, to whoever looks into the console, why the page will need its server again. */
const sayWhy = (/** @type {string} */ reason) => console.info(`Not kept for offline use: ${reason}`);

async function register() {
  const container = navigator.serviceWorker;
  if (!container) throw new Error("service workers need https or localhost, and no private window");
  let controller = container.controller;
  container.addEventListener("controllerchange", () => {
    // The first worker of a page keeps the build that is open; one after it keeps a newer build.
    if (controller) store.set({ offline: "update" });
    controller = container.controller;
  });
  container.addEventListener("message", ({ data }) => data?.notKept && sayWhy(data.notKept));
  const registration = await container.register(new URL("../sw.js", import.meta.url));
  document.addEventListener("visibilitychange", () => {
    // A page may stay open for weeks; without a network there is nothing to look for.
    if (document.visibilityState === "visible") registration.update().catch(() => {});
  });
  await container.ready;
  if (store.get().offline === "no") store.set({ offline: "ready" });
}

/** Keep the site for offline use, once the first answer is possible. */
export function start() {
  const stop = store.subscribe(({ phase }) => {
    if (phase !== "ready") return;
    stop();
    register().catch((error) => sayWhy(error instanceof Error ? error.message : String(error)));
  });
}
