/** What the page uses of the files that build.py puts into dist/; not shipped. */
declare module "*/assets.js" {
  /** Name of a file -> its address, its bytes in use, and its bytes as it is stored. */
  export const ASSETS: Readonly<Record<string, { address: string; bytes: number; wire: number }>>;
}
declare module "*/pyodide.mjs" {
  export const version: string;
  export function loadPyodide(options: object): Promise<Pyodide>;
}
declare module "*/pyodide.asm.mjs" {
  const create: (settings: PyodideSettings) => Promise<PyodideModule>;
  export default create;
}

/** Of Pyodide. */
interface Pyodide {
  pyimport(name: string): any;
  registerJsModule(name: string, module: object): void;
  setStdout(options: { batched: (text: string) => void }): void;
  setStderr(options: { batched: (text: string) => void }): void;
}

/** What pyodide.mjs passes to Emscripten's module, as far as we change it. */
interface PyodideSettings {
  dynamicLibraries?: string[];
  locateFile: (path: string) => string;
  preRun: ((module: PyodideModule) => void)[];
}

/** Emscripten's module. */
interface PyodideModule {
  HEAPU8: Uint8Array<ArrayBuffer>;
  wasmTable: WebAssembly.Table;
  /** Addresses in memory: of CPython's state, and of the offset in it where the trampoline is. */
  __PyRuntime: number;
  __PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET: number;
  API: { rawRun: (program: string) => [status: number, errors: string] };
  growMemory(bytes: number): unknown;
  stackSave(): number;
  _emscripten_stack_get_end(): number;
}

/** Of early.js: a worker that starts Python from the snapshot, and what it has reported by now. */
declare function snapshotWorker(): { worker: Worker; script: string; reports: MessageEvent[] };
/** Of early.js: the form in which the large files of Python should come now. */
declare function formOfFiles(): "kept" | "plain" | "packed";
