"""The part of Python's standard library and of numpy that the page can reach, by the rule below.

Kept is what an import statement leads to, wherever it stands in the text, from the start: what the
page's own files import, all of Pyodide's and PyScript's own Python, and numpy.random, numpy.linalg
and numpy.fft for whoever extends the page. Compiled modules name in their bytes what they import; a
codec is kept if reached text names it. Statements are found by their look and not by parsing, since
this Python may be older than the one in the page; a sentence of a docstring that looks like one
only keeps a module too many. Not followed are imports of what serves developers alone.

Headers, stubs, tests and all else that is neither module nor metadata stay behind; licences too,
for they stand in licenses.txt.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping

START = ("encodings", "encodings.utf_8", "encodings.ascii", "encodings.latin_1", "encodings.idna")
START += ("site", "importlib", "numpy", "numpy.random", "numpy.linalg", "numpy.fft")
DEVELOPERS = ("unittest", "doctest", "pdb", "pydoc", "idlelib", "ensurepip", "antigravity", "this")
DEVELOPERS += ("numpy.testing", "numpy.f2py", "numpy.distutils", "numpy.conftest")
DEVELOPERS += ("numpy.matlib",)  # deprecated; it imports all that numpy has, f2py too

IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|(?:\\\r?\n|[^\n])*)"
    rb"|import[ \t]+([^\n]*))",
    re.MULTILINE,
)
QUOTED = re.compile(rb"['\"]([\w-]{2,20})['\"]")
DOTTED = re.compile(rb"numpy(?:\.\w+)+")


def module_of(path: str) -> str | None:
    """Return the name of the module that a file of an archive holds, or None."""
    stem, dot, suffix = path.partition(".")
    if not dot or (suffix != "py" and not suffix.endswith(".so")):
        return None
    return stem.replace("/", ".").removesuffix(".__init__")


def read_zip(data: bytes) -> dict[str, bytes]:
    """Return the content of all files of an archive by path."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of `files` that is the same for the same files.

    It is stored and not compressed: gzip of the whole is smaller, and Python reads it faster.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


def imported(module: str, path: str, text: bytes) -> set[str]:
    """Return the full names that a module may import; some may be no modules."""
    if path.endswith(".so"):
        return {name.decode() for name in DOTTED.findall(text)}
    package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
    found = set()
    for dots, base, names, plain in IMPORT.findall(text):
        if plain:
            found |= {words[0].decode() for part in plain.split(b",") if (words := part.split())}
            continue
        parents = package.split(".")[: len(package.split(".")) - len(dots) + 1] if dots else []
        origin = ".".join([*parents, *([base.decode()] if base else [])])
        found.add(origin)
        for line in names.strip(b"()").replace(b"\\", b"").split(b"\n"):
            for part in line.partition(b"#")[0].split(b","):
                if words := part.split():
                    found.add(f"{origin}.{words[0].decode()}")
    return found


def embedded(script: bytes) -> bytes:
    """Return JavaScript with each Python statement in its strings on a line of its own."""
    for mark in (b'"', b"'", b";", rb"\n"):
        script = script.replace(mark, b"\n")
    return script.replace(rb"\t", b"\t")


def reachable(
    modules: Mapping[str, tuple[str, bytes]], start: Iterable[str], in_core: Collection[str]
) -> set[str]:
    """Return the names among `modules` (name -> path and text) that `start` leads to.

    Those of `in_core` are imported by the compiled half of the package that they are in.
    """
    seen: set[str] = set()
    todo = list(start)
    while todo:
        parts = todo.pop().split(".")
        for end in range(1, len(parts) + 1):  # a module brings the packages that it lies in
            name = ".".join(parts[:end])
            if name in seen or name not in modules or for_developers(name):
                continue
            seen.add(name)
            path, text = modules[name]
            todo += imported(name, path, text)
            todo += [other for other in in_core if other.startswith(f"{name}.")]
            if not path.endswith(".so") and name != "encodings.aliases":
                todo += codecs_named(text)
    return seen


def for_developers(name: str) -> bool:
    """Return whether a module is one of DEVELOPERS, or a test."""
    return name.startswith(tuple(f"{tool}." for tool in DEVELOPERS)) or (
        name in DEVELOPERS or bool({"tests", "_examples"} & set(name.split(".")))
    )


def codecs_named(text: bytes) -> list[str]:
    """Return the modules of codecs whose names a text quotes."""
    names = (quoted.decode().lower().replace("-", "_") for quoted in QUOTED.findall(text))
    return [f"encodings.{name}" for name in names]


def named_in_core(wasm: bytes, modules: Collection[str]) -> set[str]:
    """Return the modules whose names stand in Pyodide's core, which imports some of them.

    Public ones at the top stand there anyway, all of them, in the list sys.stdlib_module_names.
    """
    candidates = {name for name in modules if name.startswith("_") or "." in name}
    return candidates & {text.decode() for text in re.findall(rb"\0([\w.]+)(?=\0)", wasm)}


def slim(
    stdlib: bytes, numpy: bytes, wasm: bytes, sources: Mapping[str, bytes]
) -> tuple[bytes, bytes]:
    """Return python_stdlib.zip and numpy's wheel with what the page can reach, and no more.

    `sources` are the Python files of the page by path, `wasm` is Pyodide's core.
    """
    archives = read_zip(stdlib), read_zip(numpy)
    files = {**archives[0], **archives[1], **sources}
    modules = {name: (path, files[path]) for path in files if (name := module_of(path))}
    pyodide = [name for name in modules if name.startswith(("pyodide", "_pyodide"))]
    own = [name for path in sources if (name := module_of(path))]
    in_core = named_in_core(wasm, modules)
    start = [*START, *pyodide, *own, *(name for name in in_core if "." not in name)]
    kept = {modules[name][0] for name in reachable(modules, start, in_core)}
    metadata = re.compile(r"[^/]+\.dist-info/(METADATA|WHEEL|RECORD)")
    return tuple(
        write_zip({p: d for p, d in archive.items() if p in kept or metadata.fullmatch(p)})
        for archive in archives
    )
