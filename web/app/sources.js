// @ts-check
/** Where the pieces of a start from the snapshot come from: compiled code, and Python's memory. The
 *  site has them packed, for the way; this device, after a visit, as they are in use. */

import { ASSETS } from "./assets.js";
import { forgetImage, keepImage, readImage } from "./image.js";
import { PARTS, changed, checksum, patch } from "./memory.js";
import { SNAPSHOT, urlOf } from "./site.js";

const LIBRARIES = "runtime/libraries";
export const CORE = "runtime/pyodide/pyodide.asm.wasm";

/** The libraries of the snapshot, by path on Pyodide's disk; the build sorts the table. */
export const libraries = new Map(
  Object.keys(ASSETS)
    .filter((name) => name.startsWith(`${LIBRARIES}/`))
    .map((name) => [name.slice(LIBRARIES.length), name]),
);

const CODE = [CORE, ...libraries.values()];
const ALL = [...CODE, SNAPSHOT];

/**
 * @typedef {object} Source
 * @property {boolean} here Whether nothing of it has to come.
 * @property {() => Promise<WebAssembly.Module>} core
 * @property {(name: string) => Promise<ArrayBuffer>} library
 * @property {Promise<import("./memory.js").Snapshot>} snapshot
 * @property {() => Promise<void>} keep Have the next visit start from this device.
 * @property {() => Promise<void>} forget Have it not, since that failed.
 */

/**
 * Fetch the file and take it apart: length of the header, header, difference; see builder/maker.mjs.
 * @returns {Promise<{ header: any, difference: import("./memory.js").Difference }>}
 * @throws {Error} When it broke off, or holds something else.
 */
async function fetchSnapshot() {
  const response = await fetch(urlOf(SNAPSHOT));
  if (!response.ok) throw new Error(`the snapshot gave ${response.status}`);
  const buffer = await response.arrayBuffer();
  if (buffer.byteLength !== ASSETS[SNAPSHOT]?.bytes) throw new Error("the snapshot broke off");
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let start = 4 * Math.ceil((4 + length) / 4);
  if (checksum(new Uint32Array(buffer, start)) !== header.checksum) throw new Error("the snapshot is damaged");
  const parts = PARTS.map(([name, Type]) => {
    const part = new Type(buffer, start, header.parts[name]);
    start += part.byteLength;
    return [name, part];
  });
  return { header, difference: Object.fromEntries(parts) };
}

/** What the host has, or the service worker. @returns {Source} */
function site() {
  const fetchPlain = self.fetch.bind(self);
  const fetched = fetchSnapshot();
  /** The pages that are changed, as they were before, as far as anything was in memory then.
   *  @type {[place: number, before: Uint8Array][] | null} */
  let fresh = null;
  return {
    here: false,
    core: () => WebAssembly.compileStreaming(fetchPlain(urlOf(CORE))),
    library: async (name) => (await fetchPlain(urlOf(name))).arrayBuffer(),
    snapshot: fetched.then(({ header, difference }) => ({
      ...header,
      change(/** @type {Uint32Array} */ words) {
        const bytes = new Uint8Array(words.buffer);
        const pages = changed(difference).filter(([place]) => place < header.start.end);
        const end = (/** @type {number} */ place) => Math.min(place, header.start.end);
        fresh = pages.map(([place, length]) => [place, bytes.slice(place, end(place + length))]);
        patch(words, difference);
      },
    })),
    async keep() {
      if (!fresh) return;
      const { header, difference } = await fetched;
      const bytes = new Uint8Array(header.memory);
      for (const [place, before] of fresh) bytes.set(before, place);
      fresh = null;
      patch(new Uint32Array(bytes.buffer), difference);
      await keepImage(ALL, CODE, header, bytes.buffer, changed(difference));
    },
    async forget() {},
  };
}

/** What an earlier visit has kept. @param {import("./image.js").Image} image @returns {Source} */
const device = (image) => ({
  here: true,
  core: () => WebAssembly.compile(image.file(CORE)),
  library: async (name) => image.file(name),
  snapshot: Promise.resolve({
    ...image.snapshot,
    change: (/** @type {Uint32Array<ArrayBuffer>} */ words) => image.fill(words.buffer),
  }),
  keep: async () => {},
  async forget() {
    image.close(); // an open file cannot be removed
    await forgetImage();
  },
});

/**
 * The nearest there is.
 * @param {import("./image.js").Access | null} access To what an earlier visit may have kept.
 * @returns {Source}
 */
export function source(access) {
  const image = access && readImage(access, ALL);
  return image ? device(image) : site();
}
