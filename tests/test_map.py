"""The map of the style page: what may import what, and what lies at the top of the repository."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ("pynet.nn", "pynet.ink")  # what the page ships

# Each may import those before it, and none after it.
LADDER = ["pynet.nn.init", "pynet.nn.layers", "pynet.nn.network", "pynet.nn.models", "pynet.nn.fit"]

TOP = {
    *("build.py", "builder", "pynet", "web", "weights", "tests", "README.md"),
    *("docs", "pyproject.toml", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"),
    *(".gitignore", ".gitattributes", ".ci", ".github"),
}


def module_name(path):
    """Return the dotted name of a source file of pynet."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted((ROOT / "pynet").rglob("*.py"))}


def imports(name):
    """Return every module that a module of pynet imports anywhere in its text, in full names."""
    path = SOURCES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                found.add(full if full in SOURCES else base)
    return found


def reachable(name):
    """Return all modules of pynet that a module imports, or those import, and so on."""
    seen, todo = set(), [name]
    while todo:
        for imported in imports(todo.pop()) & SOURCES.keys() - seen:
            seen.add(imported)
            todo.append(imported)
    return seen


def of_page(name):
    """Return whether the page ships a module."""
    return name == "pynet" or name.startswith(PAGE)


@pytest.mark.parametrize("name", [name for name in SOURCES if of_page(name)])
def test_page_modules_import_numpy_and_the_standard_library(name):
    """A module that the page ships imports numpy, the standard library and its like alone."""
    for imported in imports(name):
        top = imported.partition(".")[0]
        assert top in {"numpy", "pynet"} | sys.stdlib_module_names, f"{name} imports {imported}"
        assert top != "pynet" or of_page(imported), f"{name} imports {imported}"


def test_fresh_interpreter_loads_nothing_else():
    """Importing all that the page ships loads nothing but numpy and the standard library."""
    names = [name for name in SOURCES if of_page(name)]
    program = (
        "import importlib, json, sys, numpy, numpy.random\n"
        "before = set(sys.modules)\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    loaded = json.loads(done.stdout)
    assert set(names) <= set(loaded)
    foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert foreign == {"pynet"} or foreign == {"pynet", "numpy"}
    assert [name for name in loaded if name.startswith("pynet.") and not of_page(name)] == []


def test_ink_imports_nothing_of_nn():
    """Ink knows no network."""
    for name in SOURCES:
        if name.startswith("pynet.ink"):
            assert not [n for n in imports(name) if n.startswith(("pynet.nn", "pynet.workshop"))]


def test_ladder_is_climbed_one_way():
    """Of init, layers, network, models and fit none reaches a later one by its imports."""
    for place, name in enumerate(LADDER):
        assert not reachable(name) & set(LADDER[place + 1 :]), f"{name} imports a later module"


@pytest.mark.parametrize("name", ["init", "losses", "optim", "schedules"])
def test_no_layer_in(name):
    """Initialisers, losses, optimisers and schedules know no layer, directly or through others."""
    layers = {"pynet.nn.layers", "pynet.nn.activations", "pynet.nn.network", "pynet.nn.models"}
    assert not reachable(f"pynet.nn.{name}") & layers


def test_no_import_goes_in_circles():
    """No module of nn, ink or workshop imports itself through others."""
    for name, path in SOURCES.items():
        if path.name != "__init__.py":  # a package's front door imports what lies in it
            assert name not in reachable(name), f"{name} imports itself"


def test_only_command_lines_parse_or_print():
    """In nn and ink nothing prints, exits or reads arguments."""
    for name, path in SOURCES.items():
        if not of_page(name):
            continue
        assert not {"argparse", "logging"} & imports(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"print", "exit", "quit", "sys.exit"}, f"{name}: {called}()"


def test_worker_imports_what_the_page_has():
    """worker.py and what lies beside it import what Pyodide has, and pynet's half for the page."""
    paths = sorted((ROOT / "web").glob("*.py"))
    nodes = [n for path in paths for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    tops = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            tops |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.module.startswith("pynet.workshop")
            tops.add(node.module.partition(".")[0])
    own = {path.stem for path in paths}
    assert tops - sys.stdlib_module_names <= {"numpy", "pynet", "js", "pyodide"} | own


def test_build_needs_the_standard_library_alone():
    """build.py and builder/ import each other and the standard library, anywhere in their text.

    What lies in builder/inside/ runs in the page's Python and imports what the page has.
    """
    page = {"numpy", "pynet", "pynet_site", "_pyodide", "__main__"}
    page |= {path.stem for path in (ROOT / "web").glob("*.py")}
    inside = ROOT / "builder" / "inside"
    for path in (ROOT / "build.py", *(ROOT / "builder").rglob("*.py")):
        own = {"builder"}
        if path.parent == inside:
            own = page | {other.stem for other in inside.glob("*.py")}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                names = [node.module]
            for name in names:
                top = name.partition(".")[0]
                assert top in own | sys.stdlib_module_names, f"{path.name} imports {name}"


def test_public_names():
    """Every name of `pynet.__all__` is there, and no public object of the package is left out."""
    import pynet

    assert len(set(pynet.__all__)) == len(pynet.__all__)
    for name in pynet.__all__:
        assert hasattr(pynet, name), f"pynet.{name} does not exist"
    public = {name for name, value in vars(pynet).items() if not isinstance(value, type(os))}
    public = {name for name in public if not name.startswith("_")}
    assert public <= set(pynet.__all__)


def test_top_of_the_repository():
    """At the top lies what the style page names, and what tools and people expect there."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        names = {path.split("/")[0] for path in listing.stdout.split("\0") if path}
        assert names <= TOP
    for needed in ("build.py", "builder", "pynet", "web", "weights", "tests", "README.md"):
        assert (ROOT / needed).exists()


def test_ci_runs_the_test_command_and_nothing_more():
    """CI runs what a developer runs, and installs the browsers that a developer may lack."""
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    test = "PYNET_DATA=../shared/mnist python3 build.py test"
    assert commands == ["python3 -m builder.engines", test]
