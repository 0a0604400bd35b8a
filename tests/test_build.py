"""build.py: what it puts into dist/, what it refuses, what it leaves alone, and its server.

All builds are real: the runtime comes from the cache, which the first test fills where it is empty.
"""

import hashlib
import html.parser
import http.client
import http.server
import importlib.util
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import urllib.parse
import zipfile
from pathlib import Path

import numpy as np
import pytest

import pynet
from pynet.nn import weights as weights_file

ROOT = Path(__file__).resolve().parents[1]


def load_build(path):
    """Return a build.py as a module; by path, since `build` is also a package on PyPI."""
    spec = importlib.util.spec_from_file_location("pynet_build", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build(ROOT / "build.py")


def run(repository, *arguments, **variables):
    """Run a repository's build.py as a stranger would, in an interpreter without site-packages."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(repository / "build.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, **{name: str(value) for name, value in variables.items()}},
    )


def assert_refused(done, *words):
    """Assert exit code 2 and one line on stderr that holds `words`."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    for word in words:
        assert word in done.stderr


def tree(folder):
    """Return the content of all files below a folder, by path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def copy_repository(target):
    """Copy what a build reads to `target`."""
    skip = shutil.ignore_patterns("__pycache__", "workshop")
    for name in ("web", "pynet", "weights"):
        shutil.copytree(ROOT / name, target / name, ignore=skip)
    for name in ("build.py", "LICENSE"):
        shutil.copy(ROOT / name, target / name)
    return target


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Return a folder with the built site; fills the cache of runtime files where it is empty."""
    folder = tmp_path_factory.mktemp("built") / "dist"
    done = run(ROOT, "--out", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def repository(tmp_path, site):
    """Return a small copy of the repository, in a folder with a difficult name."""
    return copy_repository(tmp_path / "a plåce with späces")


@pytest.fixture(scope="session")
def runtime(site):
    """Return the pinned files by path, from the cache."""
    store = build.Store(build.cache_folder() / "runtime")
    assert store.missing() == []
    return {file.path: data for file, data in store.found.items()}


# ---- What a build holds


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
    pinned = {f.path: f.sha256 for f in build.PINNED if f.path.startswith(build.IN_PAGE)}
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


# ---- Weights


def small_network():
    """Return a small network with known weights."""
    rng = np.random.default_rng(1)
    layers = [pynet.Flatten(), pynet.Linear(784, 10, rng=rng)]
    return pynet.Sequential(layers)


def test_index_lists_the_networks(repository):
    """weights/index.json tells names, files, sizes, parameters and accuracy, the default first."""
    shutil.rmtree(repository / "weights")
    (repository / "weights").mkdir()
    network = small_network()
    for name, meta in (("alpha", {}), ("mlp", {"accuracy": {"test": 0.99}}), ("convnet", {})):
        pynet.save(repository / "weights" / f"{name}.npz", network, meta)
    assert run(repository, "--offline").returncode == 0
    folder = repository / "dist" / "weights"
    index = json.loads((folder / "index.json").read_bytes())
    assert [entry["name"] for entry in index] == ["convnet", "mlp", "alpha"]
    for entry in index:
        assert (folder / entry["file"]).stat().st_size == entry["bytes"]
        assert entry["parameters"] == 784 * 10 + 10
        assert weights_file.load(folder / entry["file"])[0].predict(np.zeros((1, 28, 28, 1))).size
    assert [entry.get("accuracy") for entry in index] == [None, 0.99, None]


def write_members(path, members):
    """Write a zip archive with the given members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def npy(array):
    """Return an array in .npy format."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def meta(value):
    """Return metadata as the weights file holds it."""
    return npy(np.frombuffer(json.dumps(value).encode(), np.uint8))


GOOD = {"format": 1, "architecture": []}
BROKEN = {
    "empty": lambda path, good: path.write_bytes(b""),
    "truncated": lambda path, good: path.write_bytes(good[: len(good) // 2]),
    "renamed picture": lambda path, good: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "flipped bytes": lambda path, good: path.write_bytes(
        good[:300] + bytes(255 - b for b in good[300:340]) + good[340:]
    ),
    "no meta": lambda path, good: write_members(path, {"0.weight.npy": npy(np.ones(3))}),
    "meta is no JSON": lambda path, good: write_members(
        path, {"meta.npy": npy(np.frombuffer(b"{half", np.uint8))}
    ),
    "meta is a list": lambda path, good: write_members(path, {"meta.npy": meta([1, 2])}),
    "meta of floats": lambda path, good: write_members(path, {"meta.npy": npy(np.ones(9))}),
    "foreign npz": lambda path, good: write_members(path, {"meta.npy": meta({"by": "others"})}),
    "member is no array": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": b"short"}
    ),
    "array cut short": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": npy(np.ones(99))[:-8]}
    ),
    "array of pickles": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": npy(np.array([{}], object))}
    ),
    "code for a header": lambda path, good: write_members(
        path, {"meta.npy": b"\x93NUMPY\x01\x00\x20\x00__import__('os').getcwd()       \n"}
    ),
    "accuracy that is no share": lambda path, good: pynet.save(
        path, small_network(), {"accuracy": {"test": 99.2}}
    ),
    "zip bomb": lambda path, good: write_members(
        path, {"meta.npy": meta(GOOD), "0.weight.npy": bytes(80_000_000)}
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_weights_are_refused(kind, repository, tmp_path, monkeypatch, capsys):
    """Damaged or hostile weights: one line that names the file, exit 2, the old site untouched."""
    local = load_build(repository / "build.py")
    out = repository / "dist"
    assert local.main(["--offline"]) == 0
    before = tree(out)
    path = repository / "weights" / "worse.npz"
    pynet.save(path, small_network(), {})
    BROKEN[kind](path, path.read_bytes())
    capsys.readouterr()
    assert local.main(["--offline"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "weights/worse.npz" in said
    assert tree(out) == before
    assert not list(repository.glob(".dist-*"))


def test_changed_bytes_never_end_in_a_traceback(tmp_path, rng):
    """Weights with random damage are read, or refused with the one error that has a message."""
    path = tmp_path / "mlp.npz"
    members = {"meta.npy": meta(GOOD), "0.weight.npy": npy(np.ones((3, 4), np.float16))}
    write_members(path, members)
    good = path.read_bytes()
    assert build.read_weights(good, "mlp.npz") == (GOOD, 12)
    outcomes = []
    for _ in range(2000):
        data = bytearray(good)
        for place in rng.integers(len(good), size=rng.integers(1, 4)):
            data[place] = rng.integers(256)
        if rng.random() < 0.3:
            del data[rng.integers(len(good)) :]
        try:
            build.read_weights(bytes(data), "mlp.npz")
            outcomes.append("")
        except build.BuildError as error:
            outcomes.append(str(error))
    refusals = [outcome for outcome in outcomes if outcome]
    assert 0 < len(refusals) < len(outcomes)
    assert all(text.startswith("mlp.npz: ") and "\n" not in text for text in refusals)


# ---- Where it may not write


def test_missing_source_is_named(repository):
    """A page without its worker is not built."""
    (repository / "web" / "worker.py").unlink()
    assert_refused(run(repository, "--offline"), "web/worker.py")
    assert not (repository / "dist").exists()


def test_site_without_networks_is_not_built(repository):
    """A page with no network to ask is not built."""
    shutil.rmtree(repository / "weights")
    assert_refused(run(repository, "--offline"), "weights/ holds no network")


def test_broken_template_is_named(repository):
    """A pyscript.json that is no JSON is named."""
    (repository / "web" / "pyscript.json").write_text("{")
    assert_refused(run(repository, "--offline"), "web/pyscript.json")


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


# ---- Where the runtime comes from


def unpack(runtime, folder):
    """Lay the pinned files out as unpacked packages would hold them; return the folder."""
    for number, file in enumerate(build.PINNED):
        path = folder / f"package-{number}" / file.name
        path.parent.mkdir(parents=True)
        path.write_bytes(runtime[file.path])
    return folder


def cached(folder):
    """Return the names of all that a cache folder holds, hidden files too."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_runtime_from_an_unpacked_tree(tmp_path, runtime, site):
    """--runtime takes files out of a tree, fills an empty cache, and the site is the same."""
    folder = unpack(runtime, tmp_path / "tree")
    cache = tmp_path / "cache"
    arguments = ("--offline", "--runtime", folder, "--out", tmp_path / "dist")
    done = run(ROOT, *arguments, PYNET_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "dist") == tree(site)
    assert len(cached(cache)) == len(build.PINNED)
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
    store = build.Store(tmp_path / "cache")
    build.from_folder(store, folder)
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
    assert len(cached(cache)) == len(build.PINNED) - 1
    assert not [name for name in cached(cache) if "asm.mjs" in name]


def test_damaged_cache_is_mended(tmp_path, runtime):
    """A cached file that has rotted is not used, and is replaced."""
    cache = tmp_path / "cache"
    folder = unpack(runtime, tmp_path / "tree")
    build.from_folder(build.Store(cache / "runtime"), folder)
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


class Host(http.server.BaseHTTPRequestHandler):
    """A CDN whose files are right, cut, wrong, absent, or that is silent."""

    def do_GET(self):
        """Answer as the path says."""
        self.server.asked.append(self.path)
        kind = self.path.split("/")[1]
        body = self.server.body
        if kind == "silent":
            self.server.released.wait(20)
            return
        if kind == "absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write({"right": body, "cut": body[:100], "wrong": body[::-1]}[kind])

    def log_message(self, *arguments):
        """Stay quiet."""


@pytest.fixture
def host():
    """Return a running Host on loopback with 300 kB to give."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.body, server.asked, server.released = bytes(range(256)) * 1200, [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def pins(host, kind, count=2):
    """Return pins of files that a Host gives."""
    package = build.Package(f"http://127.0.0.1:{host.server_address[1]}/{kind}/")
    digest = hashlib.sha256(host.body).hexdigest()
    names = [f"pyodide/{number}.bin" for number in range(count)]
    return tuple(build.Pinned(name, len(host.body), digest, package) for name in names)


@pytest.mark.parametrize(
    ("kind", "kept", "asked"),
    [("right", 2, 2), ("wrong", 0, 2), ("absent", 0, 2), ("cut", 0, 2), ("silent", 0, 1)],
)
def test_downloads(kind, kept, asked, host, tmp_path, monkeypatch):
    """Right bytes are kept, others never, not even in part; a silent host is asked once."""
    monkeypatch.setattr(build, "PINNED", pins(host, kind))
    monkeypatch.setattr(build, "SHORT", 1)
    store = build.Store(tmp_path / "cache")
    build.from_cdn(store)
    assert len(store.found) == kept
    assert len(cached(tmp_path)) == kept
    assert len(host.asked) == asked


def test_host_that_is_not_there_is_tried_once(tmp_path, monkeypatch, capsys, host):
    """Where nobody listens, the second file is not asked for."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    package = build.Package(f"http://127.0.0.1:{port}/")
    monkeypatch.setattr(build, "PINNED", tuple(p._replace(package=package) for p in pins(host, "")))
    build.from_cdn(build.Store(tmp_path / "cache"))
    said = capsys.readouterr().out
    assert said.count("not reached") == 1
    assert cached(tmp_path) == []


def test_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    """PYNET_CACHE names the cache; else it lies where the platform keeps such."""
    monkeypatch.setenv("PYNET_CACHE", str(tmp_path / "mine"))
    assert build.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("PYNET_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert build.cache_folder() == tmp_path / "xdg" / "pynet"


# ---- The server


@pytest.fixture
def server(site):
    """Return build.py's server of the site, running, on a free port."""
    with build.make_server(site, 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def get(connection, path, method="GET"):
    """Return status, headers and body of one request on a kept connection."""
    connection.request(method, path)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


@pytest.mark.parametrize(
    ("path", "mime"),
    [
        ("/", "text/html"),
        ("/app/main.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/worker.py", "text/x-python"),
        ("/pyscript.json", "application/json"),
        ("/runtime/pyodide/pyodide.mjs", "text/javascript"),
        ("/runtime/pyodide/pyodide.asm.wasm", "application/wasm"),
        ("/runtime/pyodide/python_stdlib.zip", "application/zip"),
        ("/licenses.txt", "text/plain"),
    ],
)
def test_served_types(server, site, path, mime):
    """Each file arrives whole, with the type that browsers ask of it, and is not kept stale."""
    connection = http.client.HTTPConnection(*server.server_address)
    status, headers, body = get(connection, path)
    connection.close()
    assert status == 200
    assert headers.get_content_type() == mime
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Last-Modified"] is None
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert body == (site / (path[1:] or "index.html")).read_bytes()


def test_connection_is_kept_and_bad_paths_are_404(server):
    """One connection serves many requests; folders, absent files and ways out are 404."""
    connection = http.client.HTTPConnection(*server.server_address)
    assert get(connection, "/pyscript.json")[0] == 200
    first = connection.sock
    assert get(connection, "/pyscript.json", "HEAD")[2] == b""
    assert connection.sock is first
    for path in ("/runtime/", "/absent.js", "/../build.py", "/%2e%2e/build.py"):
        assert get(connection, path)[0] == 404
    connection.close()


class References(html.parser.HTMLParser):
    """Collects what a page refers to."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        """Note src, and href of links that are loaded."""
        for name, value in attributes:
            if name == "src" or (name == "href" and tag == "link"):
                self.found.append(value)


def test_page_works_under_a_sub_path(site):
    """Under a sub-path all that the page refers to is found, relative to it."""
    parser = References()
    parser.feed((site / "index.html").read_text(encoding="utf-8"))
    assert parser.found
    with build.make_server(site.parent, 0) as up:
        thread = threading.Thread(target=up.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        base = f"http://127.0.0.1:{up.server_address[1]}/{site.name}/"
        connection = http.client.HTTPConnection(*up.server_address)
        for reference in parser.found:
            url = urllib.parse.urljoin(base, reference)
            assert url.startswith(base), reference
            assert get(connection, urllib.parse.urlsplit(url).path)[0] == 200, reference
        connection.close()
        up.shutdown()
        thread.join()


def test_taken_port_is_named(site):
    """A --port that somebody listens on: one line, exit 2; so for one that is no port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(ROOT, "serve", "--offline", "--no-open", "--out", site, "--port", port)
    assert_refused(done, str(port))
    done = run(ROOT, "serve", "--offline", "--no-open", "--out", site, "--port", 70000)
    assert_refused(done, "70000")


def test_free_port_when_the_usual_is_taken(site):
    """Without --port a server comes up whether 8000 is free or not."""
    with build.make_server(site, None) as first, build.make_server(site, None) as second:
        ports = {first.server_address[1], second.server_address[1]}
        assert len(ports) == 2
        assert first.server_address[0] == "127.0.0.1"


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_serve_says_where_and_stops_cleanly(site):
    """`serve --no-open` prints its address, answers there, and Ctrl-C ends it with exit 0."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "build.py"), "serve", "--offline", "--no-open", "--out", site],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [process.stdout.readline(), process.stdout.readline()]
        url = urllib.parse.urlsplit(lines[1].split(" at ")[1].split()[0])
        connection = http.client.HTTPConnection(url.hostname, url.port)
        assert get(connection, "/")[0] == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
        connection.close()
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "stopped" in out
    assert err == ""


# ---- The test command's tools


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
    assert next(filter(build.starts, build.chromium_paths())) == str(whole)
    assert not build.starts(str(tmp_path))
    assert not build.starts(str(tmp_path / "absent"))


def test_downloader_that_fails_tells_why(tmp_path):
    """What npm or pip said last, or of errors first, is what is reported."""
    program = "import sys; print('fetching'); sys.exit('ERROR: no such package')"
    assert build.run_quietly([sys.executable, "-c", program], tmp_path) == "ERROR: no such package"
    assert build.run_quietly([sys.executable, "-c", "print('done')"], tmp_path) == ""
    assert "absent" in build.run_quietly([str(tmp_path / "absent")], tmp_path)


# ---- The command line


def test_unknown_argument_is_refused(site):
    """A misspelt option builds nothing."""
    done = run(ROOT, "--offlin")
    assert done.returncode == 2
    assert "--offlin" in done.stderr


def test_help_names_the_commands():
    """--help tells of serve and test."""
    done = run(ROOT, "--help")
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert "test" in done.stdout
