"""JavaScript as emcc writes it, statement by statement, and which of them anything can ask for.

Pyodide's script holds emcc's whole library, OpenGL and sound included, for whatever package may
come, and a browser reads all of it at every start. What is read here is what emcc writes, and no
more of the language than that needs (ECMA-262, 2025, 12: lexical grammar); regular expressions are
told from divisions by the token before them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import NamedTuple

WORD = re.compile(r"[\w$]+")
TOKEN = re.compile(
    r"""(?sx)
    (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    |(?P<word>\#?[\w$]+)
    |(?P<sign>=>|.)"""
)
TEMPLATE = re.compile(r"(?s)(?:[^\\`$]|\\.|\$(?!\{))*(`|\$\{)")  # to its end or an expression
REGULAR = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/\w*")
# Behind one of these words a slash begins a regular expression; behind others it divides.
BEFORE_VALUE = {
    *("return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "do", "else"),
    *("yield", "await"),
}
OPENS, CLOSES = "([{", ")]}"

# emcc's table of what the core and libraries import: `name` or `name:_name`, one after the other.
IMPORTS = re.compile(r"var wasmImports=\{([^{}]*)\};")


class Statement(NamedTuple):
    """One statement: its text, and the one name that it makes, if that is all it does."""

    text: str
    gives: str | None


def tokens(code: str) -> Iterator[tuple[str, int, int]]:
    """Yield each token, where it ends, and how deep in brackets it then is.

    Raises ValueError where brackets or a template do not end: then something was misread.
    """
    at, before, brackets = 0, "", []
    while at < len(code):
        found = code[at] == "/" and begins_value(before) and REGULAR.match(code, at)
        found = found or TOKEN.match(code, at)
        token, at = found[0], found.end()
        if found.lastgroup == "space":
            continue
        if token == "`" or (token == "}" and brackets[-1:] == ["${"]):
            if token == "}":
                brackets.pop()
            found = TEMPLATE.match(code, at)
            if not found:
                raise ValueError("a template that does not end")
            at = found.end()
            token = found[1]
            if token == "${":
                brackets.append(token)
        elif token in OPENS:
            brackets.append(token)
        elif token in CLOSES and OPENS[CLOSES.index(token)] != (brackets or [""]).pop():
            raise ValueError(f"a bracket that closes nothing: {code[at - 20 : at]}")
        yield token, at, len(brackets)
        before = token
    if brackets:
        raise ValueError("brackets that do not close")


def begins_value(before: str) -> bool:
    """Return whether what follows a token is a value, so that a slash there does not divide."""
    if WORD.fullmatch(before):
        return before in BEFORE_VALUE
    return before[-1:] not in (*CLOSES, '"', "'", "`")


def statements(code: str) -> Iterator[Statement]:
    """Yield the statements of the body of a function, one after the other."""
    start, held = 0, []
    for token, end, depth in tokens(code):
        held.append((token, depth))
        if depth or not (token == ";" or (token == "}" and is_block(held, code, end))):
            continue
        yield Statement(code[start:end], given(held))
        start, held = end, []
    if held:
        yield Statement(code[start:], None)


def is_block(held: list[tuple[str, int]], code: str, end: int) -> bool:
    """Return whether a statement ends with this brace: no value does, nor an `if` before `else`."""
    first = held[1][0] if held[0][0] == "async" else held[0][0]
    if first not in ("function", "class", "if", "for", "while", "try", "{"):
        return False
    return not re.match(r"\s*(else|catch|finally)\b", code[end : end + 20])


def given(held: list[tuple[str, int]]) -> str | None:
    """Return the name that a statement makes; None where it does, or may do, anything else.

    A function, a class; a variable that begins as a function, a plain value or an object of emcc's
    library; `Module["name"]=name`; and a property that such a thing gets, like a function's type.
    """
    words = [token for token, _ in held]
    if words[0] == "async":
        words.pop(0)
    if words[0] in ("function", "class"):
        return words[1]
    if words[:2] == ["Module", "["] and words[3:5] == ["]", "="] and len(words) == 7:
        return words[2].strip("\"'")
    if words[1:2] == ["."] and words[3:4] == ["="] and len(words) == 6:
        return words[0]
    if words[0] not in ("var", "const", "let") or words[2] != "=" or (",", 0) in held:
        return None
    return words[1] if is_plain(held[3:-1]) else None


def is_plain(value: list[tuple[str, int]]) -> bool:
    """Return whether a value does nothing by being made."""
    words = [token for token, _ in value]
    if words[0] == "async":
        value, words = value[1:], words[1:]
    if words[0] in ("function", "{"):
        return value[-1] == ("}", 0) and ("}", 0) not in value[:-1]
    if words[0] == "(" or words[1:2] == ["=>"]:  # of an arrow function its parameters
        behind = words[1:] if words[0] != "(" else words[value.index((")", 0)) + 1 :]
        return behind[:1] == ["=>"]
    return not {"(", "`", "new", "await", "=", "++", "--"} & set(words)


def needed(code: str, imported: Collection[str], words: Collection[str]) -> str:
    """Return the body of emcc's function with those statements that something can ask for.

    A statement that makes a name and does nothing else is kept where another one that is kept has
    this name as a word, wherever it stands.

    Parameters
    ----------
    code
        The body, with the table `wasmImports` in it.
    imported
        What the core and libraries import by name; the rest of that table goes.
    words
        What is named elsewhere.
    """
    table = IMPORTS.search(code)
    entries = [each for each in table[1].split(",") if each.partition(":")[0] in imported]
    code = code.replace(table[0], f"var wasmImports={{{','.join(entries)}}};")
    parts = [*statements(code)]
    makes = defaultdict(list)
    for place, part in enumerate(parts):
        makes[part.gives].append(place)
    kept: set[int] = set()
    known = {None, *words}
    todo = [place for name in known for place in makes[name]]
    while todo:
        place = todo.pop()
        if place in kept:
            continue
        kept.add(place)
        for word in {*WORD.findall(parts[place].text)} - known:
            known.add(word)
            todo += makes[word]
    return "".join(parts[place].text for place in sorted(kept))
