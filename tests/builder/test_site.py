"""What a build holds: the page, pynet, the runtime, the licences; the same bytes each time."""

import hashlib
import json
import zipfile

from building import ROOT, assert_refused, run, tree

from builder.pinned import IN_PAGE, PINNED


def test_pynet_in_the_site_equals_the_repository(site):
    """The site carries pynet's page half byte for byte and under its own names, and no more."""
    expected = {"__init__.py": (ROOT / "pynet" / "__init__.py").read_bytes()}
    for part in ("nn", "ink"):
        sources = tree(ROOT / "pynet" / part).items()
        expected |= {f"{part}/{name}": data for name, data in sources if name.endswith(".py")}
    assert tree(site / "pynet") == expected


def test_pyscript_loads_exactly_these_files(site):
    """pyscript.json names each file of pynet in the site, where it lies, and no other."""
    files = json.loads((site / "pyscript.json").read_bytes())["files"]
    assert set(files) == {f"./pynet/{name}" for name in tree(site / "pynet")}
    assert all(source == target for source, target in files.items())


def test_page_files_equal_the_repository(site):
    """All of web/ is in the site as it is, but pyscript.json and what only tools read."""
    for name, data in tree(ROOT / "web").items():
        if name != "pyscript.json" and not name.endswith(("tsconfig.json", ".d.ts")):
            assert (site / name).read_bytes() == data
    assert not list(site.rglob("*.d.ts"))
    assert not (site / "tsconfig.json").exists()


def test_runtime_is_what_was_pinned(site):
    """Every runtime file in the site has its pinned hash, and nothing else is there."""
    found = tree(site / "runtime")
    lock = json.loads(found.pop("pyodide/pyodide-lock.json"))
    pinned = {f.path: f.sha256 for f in PINNED if f.path.startswith(IN_PAGE)}
    assert {path: hashlib.sha256(data).hexdigest() for path, data in found.items()} == pinned
    assert list(lock["packages"]) == ["numpy"]
    numpy = lock["packages"]["numpy"]
    assert pinned[f"pyodide/{numpy['file_name']}"] == numpy["sha256"]


def test_scripts_of_the_runtime_find_what_they_import(site):
    """What PyScript's core imports when it is loaded is in the site."""
    folder = site / "runtime" / "pyscript"
    core = next(folder.glob("core-*.js")).read_text(encoding="utf-8")
    plugins = core.split("deprecations-manager", 1)[1].split("}", 1)[0]
    names = [part.split('"')[0] for part in plugins.split('import("./')[1:]]
    assert len(names) >= 5
    for name in names:
        assert (folder / name).is_file(), name


def test_licenses_hold_the_texts(site):
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
    wheel = next((site / "runtime" / "pyodide").glob("numpy-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
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
