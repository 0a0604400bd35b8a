// @ts-check
/** Keeps on the device what Python starts from, as it is in use: compiled code, and memory as it is just
 *  before Python wakes. It is one file in the origin's own file system (WHATWG, File System Standard,
 *  "Accessing the Origin Private File System"), from which a worker reads straight into Python's memory.
 *  What the service worker keeps comes through two more processes in small pieces, and its memory is
 *  packed; it serves whoever has no such file. */

import { ASSETS } from "./assets.js";
import { checksum } from "./memory.js";
import { ROOT, urlOf } from "./site.js";

/** The name of the file: others may share the origin. early.js has it too. */
const NAME = `pynet ${encodeURIComponent(ROOT.pathname)}`;

/**
 * What a worker reads a file with; TypeScript has it for workers alone.
 * @typedef {object} Access
 * @property {(into: Uint8Array<ArrayBuffer>, options: { at: number }) => number} read
 * @property {() => void} close
 */
/**
 * @typedef {object} Header What the file begins with, behind the length of this.
 * @property {string} from What all this is made from.
 * @property {object} snapshot All of the snapshot but the memory; see memory.js.
 * @property {[name: string, bytes: number][]} files What follows the header, one behind the other.
 * @property {[place: number, bytes: number, checksum: number][]} pages What follows those: pieces of memory.
 */
/**
 * @typedef {object} Image
 * @property {any} snapshot As in the header.
 * @property {(name: string) => ArrayBuffer} file
 * @property {(memory: ArrayBuffer) => void} fill Read the pieces of memory into place, and close.
 * @property {() => void} close
 */

/** What files hold: their addresses hold hashes. @param {readonly string[]} names */
const contents = (names) => names.map((name) => ASSETS[name].address).join(" ");

/**
 * Open the file, and read nothing yet.
 * @param {FileSystemFileHandle | null} handle
 * @returns {Promise<Access | null>}
 */
export async function openImage(handle) {
  try {
    // Others may read as well, where the browser knows of that.
    return await /** @type {any} */ (handle)?.createSyncAccessHandle({ mode: "read-only" });
  } catch {
    return null; // another tab has it open
  }
}

/**
 * Read an image, all but the memory.
 * @param {Access} access
 * @param {readonly string[]} names What it has to be made from.
 * @returns {Image | null} Nothing where it is not, or is no image.
 */
export function readImage(access, names) {
  let at = 0;
  /** @param {Uint8Array<ArrayBuffer>} bytes */
  function read(bytes) {
    const count = access.read(bytes, { at });
    if (count !== bytes.byteLength) throw new Error("the image of Python's memory broke off");
    at += count;
    return bytes.buffer;
  }
  try {
    const [length] = new Uint32Array(read(new Uint8Array(4)));
    const header = /** @type {Header} */ (JSON.parse(new TextDecoder().decode(read(new Uint8Array(length)))));
    if (header.from !== contents(names)) throw new Error("the image is of another build");
    const files = new Map(header.files.map(([name, bytes]) => [name, read(new Uint8Array(bytes))]));
    return {
      snapshot: header.snapshot,
      file: (name) => /** @type {ArrayBuffer} */ (files.get(name)),
      fill(memory) {
        for (const [place, bytes, sum] of header.pages) {
          read(new Uint8Array(memory, place, bytes));
          if (checksum(new Uint32Array(memory, place, bytes / 4)) !== sum) {
            throw new Error("the image of Python's memory is damaged");
          }
        }
        access.close();
      },
      close: () => access.close(),
    };
  } catch {
    access.close();
    return null;
  }
}

/** How often it is looked whether the service worker has what an image needs, in milliseconds, and how many
 *  times. */
const [PAUSE, TIMES] = [250, 1200];

/**
 * Wait for files that the service worker keeps; so nothing is fetched twice, and a page that is not kept has
 * no image either.
 * @param {readonly string[]} names
 * @returns {Promise<ArrayBuffer[]>}
 * @throws {Error} When they do not come.
 */
async function keptFiles(names) {
  for (let k = 0; k < TIMES; k++) {
    const found = await Promise.all(names.map((name) => caches.match(urlOf(name))));
    if (found.every(Boolean)) {
      return Promise.all(found.map((response) => /** @type {Response} */ (response).arrayBuffer()));
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new Error("this page is not kept");
}

/**
 * Keep an image in place of any other of this site.
 * @param {readonly string[]} names What it is made from.
 * @param {readonly string[]} held The files that it holds.
 * @param {object} snapshot
 * @param {ArrayBuffer} memory
 * @param {[place: number, bytes: number][]} pages The pieces of memory that are to be kept.
 * @throws {Error} When the browser cannot; what was there is there still.
 */
export async function keepImage(names, held, snapshot, memory, pages) {
  const files = await keptFiles(held);
  const folder = await navigator.storage.getDirectory();
  const summed = pages.map(([place, bytes]) => [place, bytes, checksum(new Uint32Array(memory, place, bytes / 4))]);
  const sizes = held.map((name, k) => [name, files[k].byteLength]);
  const header = { from: contents(names), snapshot, files: sizes, pages: summed };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const handle = await folder.getFileHandle(NAME, { create: true });
  const stream = await handle.createWritable(); // to a copy, which takes the place when it is whole
  await stream.write(Uint32Array.of(json.length));
  await stream.write(json);
  for (const bytes of files) await stream.write(bytes);
  for (const [place, bytes] of pages) await stream.write(new Uint8Array(memory, place, bytes));
  await stream.close();
}

/** Forget an image that was of no use, once it is closed. */
export const forgetImage = () =>
  navigator.storage.getDirectory().then((folder) => folder.removeEntry(NAME)).catch(() => {});
