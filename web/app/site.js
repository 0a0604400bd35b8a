// @ts-check
/** Where the files of the site are, and how they arrive: names in the build's table become addresses
 *  that hold a hash, and what is stored gzip-compressed is undone here. */

import { ASSETS } from "./assets.js";

const ROOT = new URL("../", import.meta.url);

/** The first byte of gzip (RFC 1952, 2.3.1). No file that is stored so begins with it when undone. */
const GZIP = 0x1f;

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
 * Where a file is stored that is asked for beside another one, as Pyodide asks for its own.
 * @param {string} url
 */
export function storedAt(url) {
  const name = url.startsWith(ROOT.href) ? url.slice(ROOT.href.length).replace(HASH, "") : "";
  return name in ASSETS ? urlOf(name) : url;
}

/**
 * Undo gzip where it is still there: a host may have named it in Content-Encoding, and then the
 * browser has undone it.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {Promise<ReadableStream<Uint8Array<ArrayBuffer>>>}
 */
export async function unpack(body) {
  const reader = body.getReader();
  const first = await reader.read();
  const whole = new ReadableStream({
    start(controller) {
      if (first.value) controller.enqueue(first.value);
      else controller.close();
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  return first.value?.[0] === GZIP ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}
