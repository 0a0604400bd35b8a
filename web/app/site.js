// @ts-check
/** Where the files of the site are: names in the build's table become addresses that hold a hash. */

import { ASSETS } from "./assets.js";

export const ROOT = new URL("../", import.meta.url);

export const SNAPSHOT = "runtime/snapshot.bin";

/** Whether the site has a snapshot: the build needs Node or Chromium to make one. */
export const available = SNAPSHOT in ASSETS;

/**
 * @param {string} name Of a file in the site, as in the repository: "weights/convnet.npz".
 * @returns {string} Its absolute address.
 */
export function urlOf(name) {
  const asset = ASSETS[name];
  return new URL(asset ? asset.address : name, ROOT).href; // what is not there gives a 404 by name
}

/** The hash in an address. */
const HASH = /-[0-9a-f]{10}(?=[./])/g;

/**
 * The name of what is asked for beside another file, as Pyodide asks for its own, or by its address.
 * @param {string} url
 * @returns {string} Nothing where the site has no such file.
 */
export function nameAt(url) {
  const name = url.startsWith(ROOT.href) ? url.slice(ROOT.href.length).replace(HASH, "") : "";
  return [name, name.replace(/\.wasm$/, "")].find((each) => each in ASSETS) ?? "";
}
