"""Pyodide's core and its script with what something in the page can ask for, by the rule below.

The core exports all of CPython and of C's library, for whatever package may come; its script makes
a variable of each, at every start, and holds all of emcc's library. The packages of this page are
known. Kept of the script is what the core or a compiled library of the site imports and, again and
again, what that names as a word, wherever it stands; of the exports those that a library imports or
a script so names; and of the functions those that can be reached from them, or from the table that
holds all functions whose address is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from builder import script as javascript
from builder import wasm
from builder.console import BuildError

# How emcc writes what becomes of the exports: a list of variables, later one statement for each.
EXPORTS = "function assignWasmExports(wasmExports){"
VARIABLES = re.compile(r"(?<=;)var ([\w$]+(?:,[\w$]+){999,});")
STATEMENTS = re.compile(rf"{re.escape(EXPORTS)}([^{{}}]*)\}}")
STATEMENT = re.compile(r'([\w$]+)=[^;]*wasmExports\["([^"]+)"\][^;]*')

# V8 parses most functions twice: at first it looks for their end alone, but not in a function that
# stands in parentheses, since such a one is called at once; and so is the one that holds all of the
# core (V8 blog, "Blazingly fast parsing, part 2: lazy parsing", 2019, "PIFE heuristics").
NAME = "_createPyodideModule"
FUNCTION = re.compile(rf"(?s)async function {NAME}\(([^()]*)\)\{{(.*)\}}export default {NAME};\s*")


def slim_core(
    core: bytes, script: str, others: str, libraries: Collection[bytes]
) -> tuple[bytes, str]:
    """Return pyodide.asm.wasm and pyodide.asm.mjs with what can be asked for, and no more.

    Parameters
    ----------
    core, script
        The two, as published.
    others
        All other scripts that use the core.
    libraries
        All compiled libraries that may be loaded.

    Raises
    ------
    BuildError
        When they are not written as they are by the emcc that this was made for.
    """
    whole = FUNCTION.fullmatch(script)
    body = whole[2] if whole else ""
    places = VARIABLES.search(body), STATEMENTS.search(body), javascript.IMPORTS.search(body)
    variables, statements = (place[1] if place else "" for place in places[:2])
    assignments = [(s, STATEMENT.fullmatch(s)) for s in statements.strip(";").split(";")]
    if not all(places) or not all(match for _, match in assignments):
        raise BuildError("pyodide.asm.mjs: emcc writes it in another way now: see builder/core.py")
    body = body.replace(f"var {variables};", "").replace(statements, "")
    try:
        for _ in range(2):  # the less the script names, the less is left in the core to import
            imported = {come.name for module in (core, *libraries) for come in wasm.imports(module)}
            body = javascript.needed(body, imported, javascript.WORD.findall(others))
            words = {*imported, *javascript.WORD.findall(body + others)}
            words |= {word[1:] for word in words if word.startswith("_")}  # emcc's variables
            core = wasm.keep(core, words.__contains__)
    except ValueError as error:
        raise BuildError(f"Pyodide's core: {error}: see builder/core.py") from None
    kept = [(statement, match[1]) for statement, match in assignments if match[2] in words]
    dropped = {match[1] for _, match in assignments} - {variable for _, variable in kept}
    left = ",".join(name for name in variables.split(",") if name not in dropped)
    start, end = body.split(EXPORTS)
    body = f"var {left};{start}{EXPORTS}{';'.join(statement for statement, _ in kept)}{end}"
    script = f"const {NAME}=(async function({whole[1]}){{{body}}});export default {NAME};"
    return core, script
