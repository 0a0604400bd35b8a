"""The runtime files that are here: from trees and archives, never a wrong byte, and the cache."""

import hashlib
import sys
import tarfile
import zipfile

from building import ROOT, assert_refused, cached, run, tree, unpack

from builder.files import cache_folder
from builder.pinned import PINNED
from builder.store import Store, from_folder


def test_runtime_from_an_unpacked_tree(tmp_path, runtime, site):
    """--runtime takes files out of a tree, fills an empty cache, and the site is the same."""
    folder = unpack(runtime, tmp_path / "tree")
    cache = tmp_path / "cache"
    arguments = ("--offline", "--runtime", folder, "--out", tmp_path / "dist")
    done = run(ROOT, *arguments, PYNET_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "dist") == tree(site)
    assert len(cached(cache / "runtime")) == len(PINNED)
    done = run(ROOT, "--offline", "--out", tmp_path / "later", PYNET_CACHE=cache)
    assert done.returncode == 0, done.stderr


def test_runtime_from_archives(tmp_path, runtime):
    """--runtime takes files out of npm tarballs and wheels; a cut archive is passed over."""
    tree_folder = unpack(runtime, tmp_path / "tree")
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / "cut.tgz").write_bytes(b"\x1f\x8b\x08\x00 and no more")
    with tarfile.open(folder / "packages.tgz", "w:gz") as tar:
        for path in sorted(tree_folder.iterdir())[::2]:
            tar.add(path, f"package/{path.name}")
    with zipfile.ZipFile(folder / "carrier-1.0-py3-none-any.whl", "w") as wheel:
        for path in sorted(tree_folder.iterdir())[1::2]:
            for file in path.iterdir():
                wheel.write(file, f"carrier/{path.name}/{file.name}")
    store = Store(tmp_path / "cache")
    from_folder(store, folder)
    assert store.missing() == []
    assert {file.path: data for file, data in store.found.items()} == runtime


def test_wrong_bytes_are_refused(tmp_path, runtime):
    """A runtime file of the right name and size but other bytes enters neither site nor cache."""
    folder = unpack(runtime, tmp_path / "tree")
    path = next(folder.rglob("pyodide.asm.mjs"))
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)
    cache = tmp_path / "cache"
    arguments = ("--offline", "--runtime", folder, "--out", tmp_path / "dist")
    done = run(ROOT, *arguments, PYNET_CACHE=cache)
    assert_refused(done, "pyodide.asm.mjs")
    assert "refused" in done.stdout
    assert hashlib.sha256(data).hexdigest() in done.stdout
    assert not (tmp_path / "dist").exists()
    assert len(cached(cache / "runtime")) == len(PINNED) - 1
    assert not [name for name in cached(cache) if "asm.mjs" in name]


def test_damaged_cache_is_mended(tmp_path, runtime):
    """A cached file that has rotted is not used, and is replaced."""
    cache = tmp_path / "cache"
    folder = unpack(runtime, tmp_path / "tree")
    from_folder(Store(cache / "runtime"), folder)
    victim = next((cache / "runtime").glob("*-pyodide.mjs"))
    victim.write_bytes(victim.read_bytes()[:-1])
    done = run(ROOT, "--offline", "--out", tmp_path / "dist", PYNET_CACHE=cache)
    assert_refused(done, "pyodide.mjs")
    arguments = ("--offline", "--runtime", folder, "--out", tmp_path / "dist")
    assert run(ROOT, *arguments, PYNET_CACHE=cache).returncode == 0
    assert victim.read_bytes() == runtime["pyodide/pyodide.mjs"]


def test_missing_runtime_folder_is_named(tmp_path, site):
    """--runtime must be a folder."""
    arguments = ("--runtime", tmp_path / "nowhere", "--out", tmp_path / "dist")
    assert_refused(run(ROOT, *arguments), "nowhere")


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    """PYNET_CACHE names the cache; else it lies where the platform keeps such."""
    monkeypatch.setenv("PYNET_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("PYNET_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert cache_folder() == tmp_path / "xdg" / "pynet"
