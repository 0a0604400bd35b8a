"""Where a build may not write, it says so, and what was there stays."""

import os
import subprocess
import sys

import pytest
from building import ROOT, assert_refused, run, tree, unpack


def test_unwritable_place_is_named(tmp_path, site):
    """A site can be made neither over a file nor inside one, and the file stays."""
    file = tmp_path / "file"
    file.write_text("mine")
    assert_refused(run(ROOT, "--offline", "--out", file), str(file))
    assert_refused(run(ROOT, "--offline", "--out", file / "dist"), str(file))
    assert file.read_text() == "mine"


def test_foreign_folder_is_not_replaced(tmp_path, site):
    """A folder with anything else in it is left alone."""
    (tmp_path / "thesis.txt").write_text("mine")
    assert_refused(run(ROOT, "--offline", "--out", tmp_path), str(tmp_path))
    assert tree(tmp_path) == {"thesis.txt": b"mine"}


@pytest.mark.skipif(os.name == "nt", reason="no limit of file sizes on Windows")
def test_full_disk_leaves_the_old_site_whole(repository):
    """When the disk takes no more in the middle of a build, the old site is still there."""
    import resource

    assert run(repository, "--offline").returncode == 0
    before = tree(repository / "dist")
    (repository / "web" / "style.css").write_text("/* new */")
    done = subprocess.run(
        [sys.executable, str(repository / "build.py"), "--offline"],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )
    assert_refused(done)
    assert tree(repository / "dist") == before
    assert not list(repository.glob(".dist-*"))


def test_cache_that_cannot_be_written_is_named(tmp_path, runtime):
    """A cache folder inside a file: one line, exit 2."""
    file = tmp_path / "file"
    file.write_text("mine")
    unpack(runtime, tmp_path / "loose")
    arguments = ("--offline", "--runtime", tmp_path / "loose", "--out", tmp_path / "dist")
    assert_refused(run(ROOT, *arguments, PYNET_CACHE=file), str(file))
    assert file.read_text() == "mine"
