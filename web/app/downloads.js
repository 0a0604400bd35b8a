// @ts-check
/** How the files that Python is made of come into its worker: each in the form that costs least here,
 *  with its bytes counted, and with a word to the page where one does not come. */

import { ASSETS } from "./assets.js";
import { nameAt, urlOf } from "./site.js";

/** The form in which the large files come: see early.js. @typedef {"kept" | "plain" | "packed"} Form */

/** The page is told of bytes so often, in milliseconds: each time it paints, on the processor that Python
 *  needs to start. */
const PAUSE = 100;

/** The first bytes of gzip (RFC 1952, 2.3.1). No file that is stored so begins with them when undone. */
const GZIP = [0x1f, 0x8b];

/** The last part of an address, for messages. @param {string} url */
const fileOf = (url) => new URL(url, import.meta.url).pathname.split("/").pop() ?? url;

/**
 * The same stream, watched.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 * @param {(bytes: number) => void} onBytes Called with the size of each piece, and with 0 at the end.
 * @param {() => void} onError Called where it breaks off.
 */
function watched(stream, onBytes, onError) {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read().catch((error) => {
        onError();
        throw error;
      });
      onBytes(value?.byteLength ?? 0);
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/**
 * Undo gzip where it is still there: a host may have named it in Content-Encoding, and then the
 * browser has undone it.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {Promise<ReadableStream<Uint8Array<ArrayBuffer>>>}
 */
async function unpack(body) {
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
  const packed = GZIP.every((byte, place) => first.value?.[place] === byte);
  return packed ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
}

/**
 * Replace `fetch` in this worker: files of the site come in the given form, their bytes are counted, and
 * a download that fails is reported; Pyodide only warns then, and waits for ever.
 * @param {Form} form
 * @param {(report: import("./python.js").Report) => void} tell
 * @returns {() => void} Ends the reports of failures: when Python runs, whoever asks gets to know.
 */
export function watchDownloads(form, tell) {
  const fetchPlain = self.fetch.bind(self);
  let starting = true;

  /**
   * @param {string} address
   * @param {() => Promise<Response>} plainly Asks for it as it stands.
   * @returns {Promise<{ response: Response, plain: boolean }>}
   */
  async function ask(address, plainly) {
    if (!address.endsWith(".wasm")) return { response: await plainly(), plain: false };
    if (form !== "packed") {
      const response = await fetchPlain(address);
      const small = form === "kept" || response.headers.has("Content-Encoding");
      if (response.ok && small) return { response, plain: true };
      await response.body?.cancel(); // the host has other rules for this file than for the page
    }
    return { response: await fetchPlain(`${address}.gz`), plain: false };
  }

  let received = 0;

  /** Count bytes as they are on the wire. @param {number} bytes */
  function count(bytes) {
    if (received === 0 && bytes > 0) {
      setTimeout(() => {
        tell({ received });
        received = 0;
      }, PAUSE);
    }
    received += bytes;
  }

  self.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const name = nameAt(url);
    const address = name ? urlOf(name) : url;
    // A packed file is not the one that Pyodide's list has the hash of; its address holds its own.
    const plainly = () => (address === url ? fetchPlain(input, init) : fetchPlain(address));
    const failed = (/** @type {string} */ how) => starting && tell({ failed: `${fileOf(url)} ${how}` });
    const { response, plain } = await ask(address, plainly).catch((error) => {
      failed("could not be fetched");
      throw error;
    });
    if (!response.ok) failed(`could not be fetched (${response.status})`);
    const { bytes, wire } = ASSETS[name] ?? { bytes: 1, wire: 1 };
    if (response.ok && plain && form === "kept") count(wire);
    if (!response.ok || !response.body || (plain && form === "kept")) return response;
    const brokeOff = () => failed("broke off");
    const share = plain ? wire / bytes : 1;
    const counted = watched(response.body, (arrived) => count(share * arrived), brokeOff);
    const body = plain ? counted : watched(await unpack(counted), () => {}, brokeOff);
    const headers = new Headers(response.headers);
    // Servers that do not know .wasm would stop it from compiling.
    if (address.endsWith(".wasm")) headers.set("Content-Type", "application/wasm");
    headers.delete("Content-Encoding");
    headers.delete("Content-Length");
    return new Response(body, { status: response.status, headers });
  };
  return () => {
    starting = false;
  };
}
