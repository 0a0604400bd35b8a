/** What the page uses of the files that build.py puts into dist/runtime/; not shipped. */
declare module "*/pyodide.mjs" {
  export const version: string;
  export function loadPyodide(options: object): Promise<unknown>;
}
