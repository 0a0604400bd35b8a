"""What a build holds: the page, pynet, the runtime, the licences; the same bytes each time."""

import gzip
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

from building import ROOT, address, assert_refused, by_name, run, tree

from builder.addresses import DIGITS, FOLDERS, HASHED, PLAIN, logical
from builder.pinned import IN_PAGE, NUMPY_WHEEL, PINNED


def test_pynet_in_the_site_equals_the_repository(site):
    """The site carries pynet's page half byte for byte and under its own names, and no more."""
    expected = {"__init__.py": (ROOT / "pynet" / "__init__.py").read_bytes()}
    for part in ("nn", "ink"):
        sources = tree(ROOT / "pynet" / part).items()
        expected |= {f"{part}/{name}": data for name, data in sources if name.endswith(".py")}
    assert tree(site / "pynet") == expected


def test_pyscript_loads_exactly_these_files(site):
    """pyscript.json names each Python file of the site but the worker's own, where it lies."""
    files = json.loads(by_name(site)["pyscript.json"])["files"]
    sources = {f"./{name}": data for name, data in by_name(site).items() if name.endswith(".py")}
    del sources["./worker.py"]
    assert set(files.values()) == set(sources)
    for source, target in files.items():
        mark = hashlib.sha256(sources[target]).hexdigest()[:DIGITS]
        if target.startswith("./pynet/"):
            assert source == f"{target}?{mark}"  # a cache may know from it which build it is of
        else:
            assert source == target.replace(".py", f"-{mark}.py")


def test_page_files_equal_the_repository(site):
    """All of web/ is in the site as it is, but what the build adds to and what only tools read."""
    found = by_name(site)
    written = ("pyscript.json", "index.html", "manifest.webmanifest", "sw.js")
    for name, data in tree(ROOT / "web").items():
        if name.endswith(("tsconfig.json", ".d.ts")):
            assert name not in found
        elif name == "app/python.js":
            assert re.fullmatch(rb'(import "\./[\w-]+\.js";\n)+', found[name].removesuffix(data))
        elif name not in written:
            assert found[name] == data
    assert found["sw.js"].endswith((ROOT / "web" / "sw.js").read_bytes())


def test_every_name_holds_the_hash_of_its_content(site):
    """All but what must keep its name is addressed by its own hash, or by that of its folder."""
    folders = {}
    for path, data in tree(site).items():
        if path.startswith(PLAIN):
            assert HASHED.search(path) is None
            continue
        (mark,) = HASHED.findall(path)
        undone = gzip.decompress(data) if path.endswith(".gz") else data
        name = logical(path)
        modules = (folder for folder in FOLDERS if name.startswith(folder))
        if (folder := next(modules, None)) and name.endswith("js"):
            folders.setdefault((folder, mark), {})[name] = hashlib.sha256(undone).hexdigest()
        else:
            assert mark == "-" + hashlib.sha256(undone).hexdigest()[:DIGITS]
    assert {folder for folder, _ in folders} >= {"app/", "runtime/pyodide/", "runtime/pyscript/"}
    for (_, mark), hashes in folders.items():
        listing = "\n".join(f"{name} {hashes[name]}" for name in sorted(hashes))
        assert mark == "-" + hashlib.sha256(listing.encode()).hexdigest()[:DIGITS]


def test_changed_file_changes_its_address_and_no_other(repository, site):
    """A new style sheet has a new name, and the page asks for it; all else stays in caches."""
    (repository / "web" / "style.css").write_text("/* new */")
    assert run(repository, "--offline").returncode == 0
    new, old = tree(repository / "dist"), tree(site)
    style = address(repository / "dist", "style.css")
    assert style.encode() in new["index.html"]
    assert new[style] == b"/* new */"
    others = {logical(path) for path in set(new) ^ set(old)} - {"style.css"}
    assert {name.split("/")[0] for name in others} == {"app"}  # which holds the table of addresses


def test_table_tells_addresses_and_bytes(site):
    """app/assets.js has the address of each file outside app/ and pynet/, and both its sizes."""
    text = by_name(site)["app/assets.js"].decode()
    table = json.loads(text.removeprefix("export const ASSETS = ").removesuffix(";\n"))
    found = by_name(site)
    assert set(table) == {name for name in found if not name.startswith(("app/", *PLAIN))}
    for name, row in table.items():
        assert row["bytes"] == len(found[name])
        packed = site / f"{row['address']}.gz"
        stored = packed if packed.exists() else site / row["address"]
        assert row["wire"] == stored.stat().st_size


def test_page_preloads_its_modules(site):
    """index.html has a link for each module that the page imports, and for nothing else."""
    text = (site / "index.html").read_text(encoding="utf-8")
    linked = re.findall(r'<link rel="modulepreload" href="(app-\w+/[\w-]+\.js)">', text)
    assert text.count("preload") == len(linked) == len(set(linked))
    imported, todo = set(), [address(site, "app/main.js")]
    while todo:
        script = site / todo.pop()
        for name in re.findall(r'from "\./([\w-]+\.js)"', script.read_text(encoding="utf-8")):
            path = f"{script.parent.name}/{name}"
            if path not in imported:
                imported.add(path)
                todo.append(path)
    assert set(linked) == imported
    assert len(linked) > 8


def test_large_files_are_stored_packed(site):
    """What is larger than 100 kB is stored as .gz, but for modules and what is packed inside.

    What the first answer waits for is there plain as well, as the one type that hosts compress.
    """
    files = tree(site)
    for path, data in files.items():
        if not path.endswith((".mjs", ".js", ".npz")):
            assert path.endswith(".gz") or len(data) < 100_000 or f"{path}.gz" in files, path
    plain = {path for path in files if f"{path}.gz" in files}
    assert all(path.endswith(".wasm") for path in plain)
    assert {Path(logical(path)).suffix for path in plain} >= {".wasm", ".so"}


def test_runtime_is_what_was_pinned(site):
    """Every runtime file in the site is the pinned one, or cut from it; nothing else is there."""
    names = {name: data for name, data in by_name(site).items() if name.startswith("runtime/")}
    found = {name.removeprefix("runtime/"): data for name, data in names.items()}
    lock = json.loads(found.pop("pyodide/pyodide-lock.json"))
    pinned = {f.path: f.sha256 for f in PINNED if f.path.startswith(IN_PAGE)}
    for path in [path for path in found if path.startswith(("libraries/", "later/"))]:
        del found[path]  # see test_split.py
    found.pop("snapshot.bin", None)  # where there is neither Node nor Chromium, there is none
    came = {path: hashlib.sha256(data).hexdigest() for path, data in found.items()}
    cut = {"pyodide/python_stdlib.zip", f"pyodide/{NUMPY_WHEEL}"}  # see test_slim.py
    cut |= {"pyodide/pyodide.asm.wasm", "pyodide/pyodide.asm.mjs"}  # see test_core.py
    assert came.keys() == pinned.keys()
    assert {path for path in came if came[path] != pinned[path]} == cut
    assert list(lock["packages"]) == ["numpy"]
    numpy = lock["packages"]["numpy"]
    assert came[f"pyodide/{numpy['file_name']}"] == numpy["sha256"]


def test_scripts_of_the_runtime_find_what_they_import(site):
    """What PyScript's core imports when it is loaded is in the site."""
    (path,) = (site / "runtime").glob("pyscript-*/core-*.js")
    core = path.read_text(encoding="utf-8")
    plugins = core.split("deprecations-manager", 1)[1].split("}", 1)[0]
    names = [part.split('"')[0] for part in plugins.split('import("./')[1:]]
    assert len(names) >= 5
    for name in names:
        assert (path.parent / name).is_file(), name


def test_licenses_hold_the_texts(site, runtime):
    """licenses.txt names each thing that the site carries and holds the licences in full."""
    text = (site / "licenses.txt").read_text(encoding="utf-8")
    for name in ("pynet", "PyScript", "polyscript", "Pyodide", "CPython", "numpy", "Emscripten"):
        assert name in text
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").strip() in text
    for part in (
        "Apache License\n                           Version 2.0, January 2004",
        "Mozilla Public License, version 2.0",
        "PYTHON SOFTWARE FOUNDATION LICENSE VERSION 2",
        "Copyright (c) 2005-2025, NumPy Developers",
        "Andrea Giammarchi",
    ):
        assert part in text, part
    with zipfile.ZipFile(io.BytesIO(runtime[f"pyodide/{NUMPY_WHEEL}"])) as archive:
        names = [name for name in archive.namelist() if ".dist-info/licenses/" in name]
        assert len(names) >= 10
        for name in names:
            assert archive.read(name).decode().replace("\r\n", "\n").strip() in text


def test_two_places_give_the_same_bytes(repository, tmp_path, site):
    """The same sources give the same bytes, wherever they lie and whatever the hash seed is."""
    done = run(repository, "--offline", "--out", tmp_path / "again", PYTHONHASHSEED=7)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "again") == tree(site)


def test_nothing_is_written_when_nothing_changed(repository):
    """A second build leaves every file as it is; a changed source makes a new site."""
    assert ": made" in run(repository, "--offline").stdout
    before = {path: path.stat().st_mtime_ns for path in (repository / "dist").rglob("*")}
    assert ": up to date" in run(repository, "--offline").stdout
    assert {path: path.stat().st_mtime_ns for path in (repository / "dist").rglob("*")} == before
    (repository / "pynet" / "nn" / "later.py").write_text('"""A new module."""\n')
    (repository / "dist" / "stale.js").write_text("left by an older build")
    assert ": made" in run(repository, "--offline").stdout
    assert (repository / "dist" / "pynet" / "nn" / "later.py").is_file()
    assert not (repository / "dist" / "stale.js").exists()
    assert not list(repository.glob(".dist-*"))


def test_missing_source_is_named(repository):
    """A page without its worker is not built."""
    (repository / "web" / "worker.py").unlink()
    assert_refused(run(repository, "--offline"), "web/worker.py")
    assert not (repository / "dist").exists()


def test_broken_template_is_named(repository):
    """A pyscript.json that is no JSON is named."""
    (repository / "web" / "pyscript.json").write_text("{")
    assert_refused(run(repository, "--offline"), "web/pyscript.json")
