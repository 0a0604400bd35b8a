"""WebAssembly modules in two halves: the functions that a start needs, and all others, for later.

Of the 20,486 functions of Pyodide's core and numpy's two libraries a start from the snapshot and
its first answers call 1,455 (Pyodide 314.0.3; called.json of builder/maker.mjs). Here a module
becomes two: one with those, which stands for the whole, and one with the rest, which joins it on
the first call of any of its functions (web/app/halves.js). Emscripten can do so as it links
(SPLIT_MODULE, with Binaryen's wasm-split); we have only what is linked already.

Both halves number everything as the whole did, so no instruction is changed. A function that is in
the other half is a short one in its place, which calls it through a table:

- `LATER` is filled by the second half. Its first place holds what brings that, and the short
  functions of the first half call it while the next place is still empty.
- `KEPT` holds what the second half calls of the first.

The first half exports what it has of its own beside functions, by the names that `exported` gives,
and the second imports that. Numbers in parentheses are those of `builder.wasm`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from builder import wasm
from builder.wasm import encoded, named, vector

OWN = "pynet "  # begins the names of exports that Emscripten must not see
LATER, KEPT, NOW = f"{OWN}later", f"{OWN}kept", f"{OWN}now"  # the two tables, and the first half
# The section that holds a module's own things of a kind.
SECTIONS = {wasm.TABLE: wasm.TABLES, wasm.MEMORY: wasm.MEMORIES}
SECTIONS |= {wasm.GLOBAL: wasm.GLOBALS, wasm.TAG: wasm.TAGS}
VOID = b"\x60\0\0"  # the type of a function that takes and gives nothing
CALL, CALL_INDIRECT, GET_LOCAL, GET_TABLE = b"\x10", b"\x11", b"\x20", b"\x25"
I32, IS_NULL, IF, END = b"\x41", b"\xd1", b"\x04\x40", b"\x0b"


def exported(kind: int, index: int) -> str:
    """Return the name by which the first half exports something for the second."""
    return f"{OWN}{kind} {index}"


def signed(value: int) -> bytes:
    """Return a number that is not negative as signed LEB128 (5.2.2)."""
    out = encoded(value)
    return out if out[-1] < 0x40 else out[:-1] + bytes([0x80 | out[-1], 0])


def parameters(module: bytes) -> list[int]:
    """Return how many parameters each type of function has (5.3.6).

    Raises
    ------
    ValueError
        Where there are types of another sort.
    """
    data = wasm.section(module, wasm.TYPES)
    count, at = wasm.number(data, 0)
    found = []
    for _ in range(count):
        if data[at] != VOID[0]:
            raise ValueError(f"a type that is not one of functions: {data[at]:#x}")
        length, at = wasm.number(data, at + 1)
        results, at = wasm.number(data, at + length)
        at += results
        found.append(length)
    return found


def types(module: bytes) -> list[int]:
    """Return the type of each function that a module holds (5.5.6)."""
    data = wasm.section(module, wasm.FUNCTIONS)
    count, at = wasm.number(data, 0)
    found = []
    for _ in range(count):
        index, at = wasm.number(data, at)
        found.append(index)
    return found


def extended(module: bytes, kind: int, items: Collection[bytes]) -> bytes:
    """Return the content of a section with more items at its end."""
    content = wasm.section(module, kind)
    count, at = wasm.number(content, 0)
    return encoded(count + len(items)) + content[at:] + b"".join(items)


def imported(module: bytes, kind: int) -> int:
    """Return how many things of a kind a module imports; its own are counted after them."""
    return sum(each.kind == kind for each in wasm.imports(module))


def counted(module: bytes, name: str) -> bytes:
    """Return a module that notes which of its functions are called.

    Each begins by setting a global of its own to 1. The module exports that as `OWN`, `name`, a
    space and the number of the function.
    """
    first, place = imported(module, wasm.FUNCTION), imported(module, wasm.GLOBAL)
    place += wasm.number(wasm.section(module, wasm.GLOBALS), 0)[0]
    bodies = list(wasm.functions(module))
    code, notes, names = [], [], []
    for k, body in enumerate(bodies):
        _, at = wasm.number(body.data, 0)
        note = I32 + b"\1" + b"\x24" + encoded(place + k)
        content = body.data[at : body.start] + note + body.data[body.start :]
        code.append(encoded(len(content)) + content)
        notes.append(b"\x7f\1" + I32 + b"\0" + END)
        label = named(f"{OWN}{name} {first + k}")
        names.append(label + bytes([wasm.GLOBAL]) + encoded(place + k))
    return wasm.replaced(
        module,
        {
            wasm.GLOBALS: extended(module, wasm.GLOBALS, notes),
            wasm.EXPORTS: extended(module, wasm.EXPORTS, names),
            wasm.CODE: vector(code),
        },
    )


def definitions(module: bytes, kind: int) -> Iterator[bytes]:
    """Yield the types of what a module holds of a kind, as an import gives them."""
    data = wasm.section(module, SECTIONS[kind])
    count, at = wasm.number(data, 0)
    for _ in range(count):
        start = at
        if kind == wasm.GLOBAL:
            at = end = start + 2
            while data[at] != END[0]:  # behind its initial value: LLVM adds constants there
                found = wasm.INSTRUCTIONS.match(data, at, len(data))
                at = found.end() if found and data[at] == 0x23 else constant(data, at)
            at += 1
        else:
            at += kind in (wasm.TABLE, wasm.TAG)
            limits, at = wasm.number(data, at)
            if kind != wasm.TAG:
                _, at = wasm.number(data, at)
                at = wasm.number(data, at)[1] if limits & 1 else at
            end = at
        yield data[start:end]


def constant(data: bytes, at: int) -> int:
    """Return the place behind a constant instruction of an initial value (5.4.7)."""
    sizes = {0x43: 4, 0x44: 8}  # floats; integers and references are LEB128
    if data[at] in sizes:
        return at + 1 + sizes[data[at]]
    if data[at] in (0x41, 0x42, 0xD0, 0xD2):
        return wasm.number(data, at + 1)[1]
    return at + 1  # an addition


class Cut:
    """Where a module is cut in two, in its own numbers.

    `bodies` are the functions that it holds, from the number `first` on; `moved` those of the
    second half, `shared` those of the first that the second calls; `later` and `kept` the numbers
    of the two tables.
    """

    def __init__(self, module: bytes, used: Collection[int]) -> None:
        self.module = module
        self.first = imported(module, wasm.FUNCTION)
        self.bodies = dict(enumerate(wasm.functions(module), self.first))
        alive = {k for k, body in self.bodies.items() if body.data != wasm.TRAP}
        # A reference is compared with others, so it has to be that of the one in its place.
        here = {k for k in alive if k in used or self.bodies[k].referred}
        self.moved = sorted(alive - here)
        self.shared = sorted({one for k in self.moved for one in self.bodies[k].called} & here)
        self.kinds, self.counts = types(module), parameters(module)
        self.later = imported(module, wasm.TABLE) + len(list(definitions(module, wasm.TABLE)))
        self.kept = self.later + 1
        self.tables = [b"\x70\0" + encoded(len(f)) for f in ([0, *self.moved], self.shared)]

    def through(self, index: int, table: int, place: int, before: bytes = b"") -> bytes:
        """Return a function in the place of one: it calls what a table holds."""
        kind = self.kinds[index - self.first]
        values = b"".join(GET_LOCAL + encoded(k) for k in range(self.counts[kind]))
        call = CALL_INDIRECT + encoded(kind) + encoded(table)
        return wasm.function(before + values + I32 + signed(place) + call)

    def own(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield kind, number and type of what the second half imports from the first."""
        for kind in SECTIONS:
            start, found = imported(self.module, kind), list(definitions(self.module, kind))
            if kind == wasm.GLOBAL:  # most are places of data, which only other modules ask for
                used = (one for k in self.moved for one in self.bodies[k].globals)
                del found[max(0, max(used, default=0) + 1 - start) :]
            for index, rest in enumerate(found, start):
                yield kind, index, rest


def split(module: bytes, used: Collection[int]) -> tuple[bytes, bytes]:
    """Return a module that holds the functions with these numbers alone, and one with all others.

    The second half expects the imports of the first again, and the exports of its instance as
    imports from `NOW`.

    Raises
    ------
    ValueError
        When the module holds what is not known here.
    """
    cut = Cut(module, used)
    return first_half(cut), second_half(cut)


def first_half(cut: Cut) -> bytes:
    """Return the module with what is used, two tables, and a function that asks for the rest."""
    module, void, ask = cut.module, len(cut.counts), cut.first + len(cut.bodies)
    bring = I32 + b"\1" + GET_TABLE + encoded(cut.later) + IS_NULL + IF
    bring += I32 + b"\0" + CALL_INDIRECT + encoded(void) + encoded(cut.later) + END
    code = {k: body.data for k, body in cut.bodies.items()}
    for place, k in enumerate(cut.moved, 1):
        code[k] = cut.through(k, cut.later, place, CALL + encoded(ask))
    exports = [named(LATER) + bytes([wasm.TABLE]) + encoded(cut.later)]
    exports += [named(KEPT) + bytes([wasm.TABLE]) + encoded(cut.kept)]
    for kind, index, _ in cut.own():
        exports.append(named(exported(kind, index)) + bytes([kind]) + encoded(index))
    return wasm.replaced(
        module,
        {
            wasm.TYPES: extended(module, wasm.TYPES, [VOID]),
            wasm.FUNCTIONS: extended(module, wasm.FUNCTIONS, [encoded(void)]),
            wasm.TABLES: extended(module, wasm.TABLES, cut.tables),
            wasm.EXPORTS: extended(module, wasm.EXPORTS, exports),
            wasm.ELEMENTS: extended(module, wasm.ELEMENTS, [segment(cut.kept, 0, cut.shared)]),
            wasm.CODE: vector([*code.values(), wasm.function(bring)]),
        },
    )


def second_half(cut: Cut) -> bytes:
    """Return a module with all other functions, which puts them into the first half's table."""
    come = [named(i.module) + named(i.name) + i.rest for i in wasm.imports(cut.module)]
    for kind, index, rest in cut.own():
        come.append(named(NOW) + named(exported(kind, index)) + bytes([kind]) + rest)
    for label, rest in zip((LATER, KEPT), cut.tables, strict=True):
        come.append(named(NOW) + named(label) + bytes([wasm.TABLE]) + rest)
    code = dict.fromkeys(cut.bodies, wasm.TRAP)
    code |= {k: cut.bodies[k].data for k in cut.moved}
    code |= {k: cut.through(k, cut.kept, place) for place, k in enumerate(cut.shared)}
    return wasm.assembled(
        [
            (wasm.TYPES, wasm.section(cut.module, wasm.TYPES)),
            (wasm.IMPORTS, vector(come)),
            (wasm.FUNCTIONS, wasm.section(cut.module, wasm.FUNCTIONS)),
            (wasm.ELEMENTS, vector([segment(cut.later, 1, cut.moved)])),
            (wasm.CODE, vector(code.values())),
        ]
    )


def segment(table: int, place: int, functions: Collection[int]) -> bytes:
    """Return an element segment: functions that are put into a table at a place (5.5.12)."""
    start = b"\2" + encoded(table) + I32 + signed(place) + END + b"\0"
    return start + vector(map(encoded, functions))
