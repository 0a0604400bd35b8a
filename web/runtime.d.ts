/** What the page uses of the files that build.py puts into dist/; not shipped. */
declare module "*/assets.js" {
  /** Name of a file -> its address, its bytes in use, and its bytes as it is stored. */
  export const ASSETS: Readonly<Record<string, { address: string; bytes: number; wire: number }>>;
}
declare module "*/pyodide.mjs" {
  export const version: string;
  export function loadPyodide(options: object): Promise<unknown>;
}
