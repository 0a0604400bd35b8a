"""The snapshot as the build makes it: the same each time, in Node or Chromium, or not at all."""

import shutil
from unittest.mock import patch

import pytest

from builder import snapshot as module
from builder.fetch import pinned_files
from builder.files import sha256
from builder.networks import weights
from builder.site import page, python_in_page, python_sources, runtime_files


@pytest.fixture(scope="module")
def stage():
    """Return the files that a snapshot of this repository is made of."""
    files = {**page(), **python_sources(), **weights()}
    pinned = pinned_files(None, offline=False)
    return module.staged(files | runtime_files(pinned, python_in_page(files)))


def in_folder(stage, folder):
    """Write the files where a maker finds them."""
    for path, data in stage.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.mark.timeout(600)
def test_two_makings_give_the_same_bytes(stage, tmp_path):
    """Time, chance and the folder leave no trace in a snapshot."""
    tool, make = next(module.makers())
    first, second = (make(in_folder(stage, tmp_path / name)) for name in ("one", "another one"))
    assert first.keys() == second.keys() == set(module.MADE)
    for name in first:
        assert sha256(first[name]) == sha256(second[name]), (tool, name)


@pytest.mark.timeout(600)
def test_chromium_makes_one_where_there_is_no_node(stage, tmp_path):
    """Without Node the snapshot comes from Chromium, with the default network in it."""
    found = shutil.which
    with patch.object(module.shutil, "which", lambda name: None if name == "node" else found(name)):
        ((tool, make),) = module.makers()
    assert tool == "Chromium"
    data = make(in_folder(stage, tmp_path))["snapshot.bin"]
    length = int.from_bytes(data[:4], "little")
    assert b'"networks":["' in data[4 : 4 + length]


def test_without_node_and_chromium_there_is_none(stage, capsys):
    """The build goes on without a snapshot, and says what is missing."""
    with patch.object(module, "makers", return_value=iter(())):
        assert module.made(stage) == {}
    said = capsys.readouterr().out
    assert "the page starts slower" in said
    assert "Node" in said


def test_a_failure_of_the_maker_is_named(stage, capsys):
    """What Python says when it cannot be filled stands in the build's output."""
    broken = {**stage, "warm_up.py": b"import no_such_module\n"}
    maker = next(module.makers())
    with patch.object(module, "makers", return_value=iter([maker])):
        assert module.made(broken) == {}
    assert "no_such_module" in capsys.readouterr().out
