"""The command line, and the tools of `build.py test`."""

import ast
import os

import pytest
from building import ROOT, run

from builder.environment import chromium_paths, starts


@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_browser_that_does_not_start_is_passed_over(tmp_path, monkeypatch):
    """A browser named in the environment comes first, but only one that starts is taken."""
    empty, whole = tmp_path / "empty", tmp_path / "whole"
    empty.write_text("#!/bin/sh\nexit 1\n")
    whole.write_text("#!/bin/sh\necho Chromium 150.0\n")
    for path in (empty, whole):
        path.chmod(0o755)
    monkeypatch.setenv("PYNET_CHROMIUM", str(empty))
    monkeypatch.setenv("CHROME_PATH", str(whole))
    assert next(filter(starts, chromium_paths())) == str(whole)
    assert not starts(str(tmp_path))
    assert not starts(str(tmp_path / "absent"))


def test_unknown_argument_is_refused(site):
    """A misspelt option builds nothing."""
    done = run(ROOT, "--offlin")
    assert done.returncode == 2
    assert "--offlin" in done.stderr


def test_help_names_the_commands():
    """--help tells of serve, zip and test."""
    done = run(ROOT, "--help")
    assert done.returncode == 0
    for command in ("serve", "zip", "test"):
        assert command in done.stdout


def test_old_python_reads_one_line():
    """build.py is syntax for Python 3.8, and looks at the version before it imports builder."""
    body = ast.parse((ROOT / "build.py").read_text(encoding="utf-8"), feature_version=(3, 8)).body
    check = next(place for place, node in enumerate(body) if isinstance(node, ast.If))
    assert "sys.version_info < (3, 11)" in ast.unparse(body[check])
    for node in body[:check]:
        assert "builder" not in ast.unparse(node) or isinstance(node, ast.Expr)
