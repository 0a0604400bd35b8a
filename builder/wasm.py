"""WebAssembly modules as bytes: what they import and export, and what their functions call.

As far as `builder.core` and `builder.split` need it, for modules as LLVM writes them for Pyodide:
without SIMD, threads or garbage collection; whatever else turns up is an error. Numbers in
parentheses are sections of the WebAssembly Core Specification 2.0 (W3C, 2022); the instructions of
exceptions are those of the proposal "Exception Handling" in its legacy form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

MAGIC = b"\0asm\1\0\0\0"  # with the version (5.5.16)
# Numbers of sections (5.5.2), and the order that they come in.
CUSTOM = 0
TYPES, IMPORTS, FUNCTIONS, TABLES, MEMORIES, GLOBALS, EXPORTS, START, ELEMENTS, CODE = range(1, 11)
TAGS = 13
ORDER = (
    CUSTOM,
    TYPES,
    IMPORTS,
    FUNCTIONS,
    TABLES,
    MEMORIES,
    TAGS,
    GLOBALS,
    EXPORTS,
    START,
    ELEMENTS,
)
FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)  # kinds of imports and exports (5.5.5)

# Instructions (5.4). An integer is LEB128: bytes with the high bit, and one without.
INT = rb"[\x80-\xff]*+[\x00-\x7f]"
PLAIN = rb"[\x00\x01\x05\x0a\x0b\x0f\x19-\x1b\x45-\xc4\xd1]|\xfc[\x00-\x07]"
ONE = rb"(?:[\x02-\x04\x06-\x09\x0c\x0d\x18\x20-\x22\x25\x26\x3f-\x42\xd0]|\xfc[\x0b\x0d\x0f-\x11])"
TWO = rb"(?:[\x11\x28-\x3e]|\xfc[\x0a\x0c\x0e])"
FLOATS = rb"\x43.{4}|\x44.{8}"
OTHERS = rb"(?:%b|%b%b|%b%b%b|%b)++" % (PLAIN, ONE, INT, TWO, INT, INT, FLOATS)
# Four that matter, call, ref.func, global.get and global.set, and two that take lists, br_table and
# select. memory.init and data.drop are not known: LLVM writes them for threads.
INSTRUCTIONS = re.compile(
    rb"(?s)%b|\x10(?P<function>%b)|\xd2(?P<reference>%b)|[\x23\x24](?P<global>%b)"
    rb"|(?P<labels>\x0e)|(?P<types>\x1c)" % (OTHERS, INT, INT, INT)
)
TRAP = bytes([3, 0, 0x00, 0x0B])  # a function of three bytes, without locals: unreachable, end


class Import(NamedTuple):
    """One import: where from, name, kind, and its bytes behind the two names."""

    module: str
    name: str
    kind: int
    rest: bytes


class Export(NamedTuple):
    """One export: name, kind, and number among all things of its kind."""

    name: str
    kind: int
    index: int


class Body(NamedTuple):
    """One function: its bytes with their number in front, and what its instructions name.

    `start` is the place of the first instruction; `called` are the functions that are called by
    their number, `referred` those whose reference is taken.
    """

    data: bytes
    start: int
    called: frozenset[int]
    referred: frozenset[int]
    globals: frozenset[int]


def number(data: bytes, at: int) -> tuple[int, int]:
    """Return the unsigned LEB128 number at a place, and the place behind it (5.2.2)."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def encoded(value: int) -> bytes:
    """Return a number as unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    return bytes([*out, value])


def name(data: bytes, at: int) -> tuple[str, int]:
    """Return the name at a place, and the place behind it (5.2.4)."""
    length, at = number(data, at)
    return data[at : at + length].decode("utf-8"), at + length


def named(text: str) -> bytes:
    """Return a name as a module holds it."""
    return encoded(len(text.encode("utf-8"))) + text.encode("utf-8")


def vector(items: Iterable[bytes]) -> bytes:
    """Return a list with its length in front (5.1.3)."""
    items = list(items)
    return encoded(len(items)) + b"".join(items)


def function(code: bytes) -> bytes:
    """Return a function without local variables, with its length in front (5.4.9, 5.5.13)."""
    return encoded(len(code) + 2) + b"\0" + code + b"\x0b"


def sections(module: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the content of each section."""
    at = len(MAGIC)
    while at < len(module):
        kind = module[at]
        length, start = number(module, at + 1)
        at = start + length
        yield kind, module[start:at]


def section(module: bytes, wanted: int) -> bytes:
    """Return the content of a section; of one that is not there that of an empty one."""
    return next((content for kind, content in sections(module) if kind == wanted), b"\0")


def replaced(module: bytes, contents: Mapping[int, bytes]) -> bytes:
    """Return a module with other contents of some sections, which may be new ones."""
    found = list(sections(module))
    for new in contents.keys() - {kind for kind, _ in found}:
        before = ORDER[: ORDER.index(new)]
        place = max((k for k, (kind, _) in enumerate(found, 1) if kind in before), default=0)
        found.insert(place, (new, b""))
    return assembled((kind, contents.get(kind, content)) for kind, content in found)


def assembled(found: Iterable[tuple[int, bytes]]) -> bytes:
    """Return a module of sections, each with its number."""
    out = bytearray(MAGIC)
    for kind, content in found:
        out += bytes([kind]) + encoded(len(content)) + content
    return bytes(out)


def imports(module: bytes) -> Iterator[Import]:
    """Yield what a module imports (5.5.5)."""
    data = section(module, IMPORTS)
    count, at = number(data, 0)
    for _ in range(count):
        origin, at = name(data, at)
        found, at = name(data, at)
        kind, start = data[at], at
        at += 1
        if kind == GLOBAL:
            at += 2  # its type, and whether it may change
        else:
            at += kind in (TABLE, TAG)  # the type of its elements; what a tag is for
            limits, at = number(data, at)  # of functions and tags: the number of their type
        if kind in (TABLE, MEMORY):
            _, at = number(data, at)
            if limits & 1:  # an upper limit as well
                _, at = number(data, at)
        yield Import(origin, found, kind, data[start:at])


def exports(module: bytes) -> Iterator[Export]:
    """Yield what a module exports (5.5.10)."""
    data = section(module, EXPORTS)
    count, at = number(data, 0)
    for _ in range(count):
        found, at = name(data, at)
        index, end = number(data, at + 1)
        yield Export(found, data[at], index)
        at = end


def in_table(module: bytes) -> Iterator[int]:
    """Yield the numbers of the functions that are put into table 0 at a fixed place (5.5.12)."""
    data = section(module, ELEMENTS)
    count, at = number(data, 0)
    for _ in range(count):
        if data[at : at + 2] != b"\0\x41":  # table 0, i32.const
            raise ValueError("elements that are not put into the first table at a fixed place")
        _, at = number(data, at + 2)
        length, at = number(data, at + 1)
        for _ in range(length):
            index, at = number(data, at)
            yield index


def functions(module: bytes) -> Iterator[Body]:
    """Yield the functions that a module holds, in order (5.5.13)."""
    data = section(module, CODE)
    count, at = number(data, 0)
    for _ in range(count):
        start = at
        length, at = number(data, at)
        end = at + length
        kinds, at = number(data, at)
        for _ in range(kinds):  # of local variables: how many, and their type
            _, at = number(data, at)
            at += 1
        yield Body(data[start:end], at - start, *instructions(data, at, end))
        at = end


def instructions(data: bytes, at: int, end: int) -> tuple[frozenset[int], ...]:
    """Return the numbers of the functions that instructions call and refer to, and of globals."""
    called, referred, used = set(), set(), set()
    while at < end:
        found = INSTRUCTIONS.match(data, at, end)
        if not found:
            raise ValueError(f"an instruction that is not known: {data[at : at + 2].hex()}")
        at = found.end()
        if found["function"]:
            called.add(number(found["function"], 0)[0])
        elif found["reference"]:
            referred.add(number(found["reference"], 0)[0])
        elif found["global"]:
            used.add(number(found["global"], 0)[0])
        elif found["labels"] or found["types"]:
            count, at = number(data, at)
            for _ in range(count + bool(found["labels"])):  # one more for the default
                _, at = number(data, at)
    return frozenset(called), frozenset(referred), frozenset(used)


def keep(module: bytes, wanted: Callable[[str], bool]) -> bytes:
    """Return a module with those exports alone whose names are wanted.

    Functions that nothing can call then become traps, and an imported global that no other function
    uses becomes one more import of another one: so all numbers stay as they are. Initial values of
    globals and places of data are taken for constants, which they are in Pyodide's core.

    Raises
    ------
    ValueError
        When the module holds what is not known here.
    """
    left = [export for export in exports(module) if wanted(export.name)]
    come = list(imports(module))
    bodies = list(functions(module))
    first = sum(each.kind == FUNCTION for each in come)  # imports are counted first (2.5.1)
    todo = [each.index for each in left if each.kind == FUNCTION] + list(in_table(module))
    if start := section(module, START).strip(b"\0"):
        todo.append(number(start, 0)[0])
    alive: set[int] = set()
    while todo:
        index = todo.pop()
        if index not in alive:
            alive.add(index)
            body = bodies[index - first] if index >= first else None
            todo += [*body.called, *body.referred] if body else ()
    read = {one for k, body in enumerate(bodies, first) if k in alive for one in body.globals}
    read |= {each.index for each in left if each.kind == GLOBAL}
    globals_ = [each for each in come if each.kind == GLOBAL]
    other = next((each for k, each in enumerate(globals_) if k in read), (*globals_, None)[0])
    place = iter(range(len(globals_)))
    come = [other if each.kind == GLOBAL and next(place) not in read else each for each in come]
    return replaced(
        module,
        {
            IMPORTS: vector(named(each.module) + named(each.name) + each.rest for each in come),
            EXPORTS: vector(
                named(each.name) + bytes([each.kind]) + encoded(each.index) for each in left
            ),
            CODE: vector(body.data if k in alive else TRAP for k, body in enumerate(bodies, first)),
        },
    )
