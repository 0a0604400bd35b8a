"""Pyodide's core with those exports that something in the page can ask for, by the rule below.

The core exports all of CPython and of C's library, for whatever package may come; its script makes
a variable of each, at every start. The packages of this page are known. Kept is an export that a
compiled library of the site imports, or that a script names as a word, wherever it stands; and of
the functions those that can be reached from them, or from the table that holds all functions whose
address is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from builder import wasm
from builder.console import BuildError

# How emcc writes what becomes of the exports: a list of variables, later one statement for each.
VARIABLES = re.compile(r";var ([\w$]+(?:,[\w$]+){999,});")
STATEMENTS = re.compile(r"function assignWasmExports\(wasmExports\)\{([^{}]*)\}")
STATEMENT = re.compile(r'([\w$]+)=[^;]*wasmExports\["([^"]+)"\][^;]*')
WORD = re.compile(r"[\w$]+")

# V8 parses most functions twice: at first it looks for their end alone, but not in a function that
# stands in parentheses, since such a one is called at once; and so is the one that holds all of the
# core (V8 blog, "Blazingly fast parsing, part 2: lazy parsing", 2019, "PIFE heuristics").
FUNCTION = re.compile(r"async function (_createPyodideModule)(\(.*\})(export default \1;\s*)", re.S)


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
    places = VARIABLES.search(script), STATEMENTS.search(script), FUNCTION.fullmatch(script)
    variables, statements = (place[1] if place else "" for place in places[:2])
    assignments = [(s, STATEMENT.fullmatch(s)) for s in statements.strip(";").split(";")]
    if not all(places) or not all(match for _, match in assignments):
        raise BuildError("pyodide.asm.mjs: emcc writes it in another way now: see builder/core.py")
    rest = script.replace(variables, "").replace(statements, "")
    words = {
        *WORD.findall(rest + others),
        *(come.name for module in (core, *libraries) for come in wasm.imports(module)),
    }

    def wanted(name: str) -> bool:
        return name in words or f"_{name}" in words

    kept, dropped = [], set()
    for statement, match in assignments:
        if wanted(match[2]):
            kept.append(statement)
        else:
            dropped.add(match[1])
    left = ",".join(name for name in variables.split(",") if name not in dropped)
    script = script.replace(variables, left).replace(statements, ";".join(kept))
    script = FUNCTION.sub(r"const \1=(async function\2);\3", script)
    try:
        return wasm.keep(core, wanted), script
    except ValueError as error:
        raise BuildError(f"pyodide.asm.wasm: {error}: see builder/wasm.py") from None
