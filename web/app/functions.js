// @ts-check
/** Makes one thing true in every engine: the function that a WebAssembly table gives is the very one
 *  that its instance exports. Emscripten relies on it to find the address of a function, and a snapshot
 *  holds such addresses.
 *
 *  The standard demands it (W3C, WebAssembly JavaScript Interface, 2.0: the Exported Function cache).
 *  WebKit does not do it for functions that an element segment has put into the table (seen in
 *  WebKitGTK 2.50.6): Emscripten takes each such export for a new function, gives it a new address,
 *  and the snapshot no longer fits. */

/** A table with one function, which is exported too, put there by an element segment. */
const PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // "\0asm", version 1
  1, 4, 1, 0x60, 0, 0, // types: () -> ()
  3, 2, 1, 0, // functions: one of type 0
  4, 4, 1, 0x70, 0, 1, // tables: one for 1 funcref
  7, 9, 2, 1, 0x74, 1, 0, 1, 0x66, 0, 0, // exports: "t" is table 0, "f" is function 0
  9, 7, 1, 0, 0x41, 0, 0x0b, 1, 0, // elements: from i32.const 0 on, function 0
  10, 4, 1, 2, 0, 0x0b, // code: nothing
]);

/** Whether the engine needs help. */
function differ() {
  const { t, f } = /** @type {any} */ (new WebAssembly.Instance(new WebAssembly.Module(PROBE)).exports);
  return t.get(0) !== f;
}

/** Instances by the place where their functions begin in the table, the last one first.
 *  @type {{ base: number, functions: Map<string, Function> }[]} */
const instances = [];

/** What was put into the table by itself. @type {Map<number, unknown>} */
const placed = new Map();

/**
 * Remember the exports of an instance whose functions lie in the table: Pyodide's core, which exports
 * the table and begins at its start, and libraries, which are told where to begin.
 * @param {WebAssembly.Instance} instance
 * @param {any} imports
 */
function remember(instance, imports) {
  if (Object.keys(instance.exports).length === 0) return; // the second half of a module: see halves.js
  const told = imports?.env?.__table_base;
  const base = instance.exports.__indirect_function_table ? 0 : Number(told?.value ?? told);
  if (Number.isNaN(base)) return;
  const functions = Object.values(instance.exports).filter((each) => typeof each === "function");
  // The name of such a function is its number in the module; the first export of it counts.
  instances.unshift({ base, functions: new Map(functions.reverse().map((each) => [each.name, each])) });
  instances.sort((a, b) => b.base - a.base);
}

/** Help the engine where it needs help; before anything is compiled that shares a table. */
export function unite() {
  if (!differ()) return;
  const { Instance, Table, instantiate, instantiateStreaming } = WebAssembly;
  const { get, set } = Table.prototype;

  Table.prototype.get = function (/** @type {number} */ place) {
    const found = get.call(this, place);
    if (typeof found !== "function") return found;
    if (placed.has(place)) return placed.get(place);
    const owner = instances.find(({ base }) => base <= place);
    return owner?.functions.get(found.name) ?? found;
  };
  Table.prototype.set = function (/** @type {number} */ place, /** @type {any} */ value) {
    set.call(this, place, value);
    placed.set(place, value);
  };

  WebAssembly.Instance = /** @type {typeof Instance} */ (new Proxy(Instance, {
    construct(target, [module, imports]) {
      const instance = new target(module, imports);
      remember(instance, imports);
      return instance;
    },
  }));
  WebAssembly.instantiate = /** @type {any} */ (async (/** @type {any} */ source, /** @type {any} */ imports) => {
    const result = /** @type {any} */ (await instantiate(source, imports));
    remember(result instanceof Instance ? result : result.instance, imports);
    return result;
  });
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const result = await instantiateStreaming(source, imports);
    remember(result.instance, imports);
    return result;
  };
}
