"""The budget: the table that a build prints, and what happens over it."""

import re

import pytest
from building import by_name, run, tree

from builder import budget
from builder.console import BuildError
from builder.visits import fetched_first, ordinary_only


def test_build_prints_the_table_and_keeps_to_the_budget(repository):
    """Files of 100 kB and more have a line; the sums are those of the lines, and in the budget."""
    done = run(repository, "--offline")
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if re.match(r" *\d+\.\d\d ", line)]
    sums = [line for line in rows if "budget" in line]
    assert len(sums) == 2
    files = [line for line in rows if re.match(r" *\d+\.\d\d +\d", line)]
    parts = [float(line.split()[0]) for line in files]
    first, everything = (float(line.split()[0]) for line in sums)
    assert sum(parts) == pytest.approx(everything, abs=0.01 * len(parts))
    assert first < everything
    assert first <= budget.FIRST / 1e6
    assert everything <= budget.ALL / 1e6
    assert any("pyodide.asm.wasm" in line for line in rows)
    assert len(rows) < 25


@pytest.mark.parametrize("name", ["FIRST", "ALL"])
def test_site_over_the_budget_is_refused(name, site, monkeypatch, capsys):
    """A byte too many is an error of one line that names both figures, after the table."""
    files, built = by_name(site), tree(site)
    budget.check_budget(files, built)
    (first, everything) = (
        int(1e6 * float(n)) for n in re.findall(r"([\d.]+) +[uw].*budget", capsys.readouterr().out)
    )
    monkeypatch.setattr(budget, name, {"FIRST": first, "ALL": everything}[name] - 20_000)
    with pytest.raises(BuildError, match=r"\d+ bytes .* over the budget of \d+") as refused:
        budget.check_budget(files, built)
    assert "\n" not in str(refused.value)
    assert "pyodide.asm.wasm" in capsys.readouterr().out


def test_what_hosts_compress_is_counted_compressed():
    """Text counts as gzip makes it, what is packed as it is."""
    text = b"a line of text\n" * 1000
    site = {"a.js": text, "a.npz": text, "a.zip.gz": text, "a.wasm": text, "a.wasm.gz": b"packed"}
    sizes = {path: budget.on_the_wire(path, site) for path in site}
    assert sizes["a.js"] < 200
    assert sizes["a.npz"] == sizes["a.zip.gz"] == len(text)
    assert sizes["a.wasm"] == len(b"packed")


def test_what_a_visit_fetches():
    """With a snapshot the page needs no wheel of numpy and no default network; else it does."""
    files = {
        **{"index.html": b"", "app/main.js": b"", "worker.py": b"", "pynet/__init__.py": b""},
        **{"runtime/pyodide/pyodide.asm.wasm": b"", "runtime/pyodide/numpy-2.whl": b""},
        **{"weights/index.json": b'[{"file": "a.npz"}, {"file": "b.npz"}]'},
        **{"weights/a.npz": b"", "weights/b.npz": b"", "sw.js": b"", ".nojekyll": b""},
    }
    rest = {"pynet/__init__.py", "runtime/pyodide/numpy-2.whl", "weights/a.npz"}
    always = {"index.html", "app/main.js", "worker.py", "weights/index.json"}
    always |= {"runtime/pyodide/pyodide.asm.wasm"}
    assert fetched_first(files) == always | rest
    assert ordinary_only(files) == set()
    files["runtime/snapshot.bin"] = b""
    assert fetched_first(files) == always | {"runtime/snapshot.bin"}
    assert ordinary_only(files) == rest
