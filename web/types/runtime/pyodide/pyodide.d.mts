/** What the page uses of Pyodide, for the type check: the module itself is there after a build. */
export const version: string;
export function loadPyodide(options?: object): Promise<unknown>;
