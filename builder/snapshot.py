"""The snapshot of Python's memory that the page starts from, and the compiled code that it calls.

Made by builder/maker.mjs in Node or in Chromium; kept in the cache under the hash of all that it is
made of. Where neither is found, or the making fails, the site is built without: it starts slower.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from builder.console import ROOT, BuildError, describe, one_line, say
from builder.environment import chromium_paths, starts
from builder.files import cache_folder, sha256, to_json, write_atomically
from builder.pinned import NUMPY_WHEEL, lock_file
from builder.slim import read_zip, write_zip
from builder.split import OWN, counted, split

# What `import numpy` loads of compiled code. The rest comes with the import that asks for it.
LIBRARIES = ("numpy/_core/_multiarray_umath", "numpy/linalg/_umath_linalg")
CORE = "pyodide/pyodide.asm.wasm"
MADE = (CALLED, SNAPSHOT) = ("called.json", "snapshot.bin")
WHEEL = f"runtime/pyodide/{NUMPY_WHEEL}"
NODE = 20  # the oldest that was tried
LIMIT = 300  # seconds; a few are usual
KEPT = 4  # snapshots in the cache
ENVIRONMENT = {**os.environ, "TZ": "UTC"}  # two builds are equal, wherever they are made


def snapshot(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what a site has for a start from the snapshot, or nothing and say why.

    `files` are those of the site by name: pynet, answers.py, the networks and the runtime. The
    result is to be put over them:

    - runtime/snapshot.bin;
    - Pyodide's core and, in runtime/libraries/, what `import numpy` loads of compiled code: of both
      the functions that such a start calls;
    - runtime/later/, all their other functions.

    Raises
    ------
    BuildError
        When the compiled code holds what builder/split.py does not know.
    """
    try:
        stage = staged(files)
        found = kept_or_made(stage)
        return {"runtime/snapshot.bin": found[SNAPSHOT], **halves(stage, found)} if found else {}
    except ValueError as error:
        raise BuildError(f"compiled code for Pyodide: {error}: see builder/split.py") from None


def kept_or_made(stage: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what maker.mjs makes of these files, from the cache where it has been made before."""
    key = sha256(to_json({name: sha256(data) for name, data in sorted(stage.items())}))
    folder = cache_folder() / "snapshots"
    path = folder / f"{key[:32]}.zip"
    with contextlib.suppress(OSError, zipfile.BadZipFile):
        found = read_zip(path.read_bytes())
        path.touch()  # used last: kept longest
        return found
    if found := made(stage):
        write_atomically(path, write_zip(found))
        for old in sorted(folder.iterdir(), key=lambda old: -old.stat().st_mtime)[KEPT:]:
            old.unlink(missing_ok=True)
    return found


def compiled(stage: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the modules that Python runs in, by their names in the stage."""
    return {n: data for n, data in stage.items() if n == CORE or n.startswith("disk/")}


def halves(stage: Mapping[str, bytes], found: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what the snapshot calls of compiled code, and the rest of it, by names in the site."""
    called: dict[str, set[int]] = {}
    for note in json.loads(found[CALLED]):
        name, _, index = note.rpartition(" ")
        called.setdefault(name, set()).add(int(index))
    site = {}
    for name, module in compiled(stage).items():
        place = f"libraries/{name.removeprefix('disk/')}" if name != CORE else CORE
        now, later = split(module, called[name])
        site[f"runtime/{place}"] = now
        site[f"runtime/later/{name.rpartition('/')[2]}"] = later
    return site


def staged(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return all that the snapshot is made of, as maker.mjs finds it in its folder."""
    builder = ROOT / "builder"
    stage = {path.name: path.read_bytes() for path in sorted((builder / "inside").glob("*.py"))}
    for name in ("later.py", "restored.py"):
        stage[f"home/{name}"] = stage.pop(name)
    stage["maker.mjs"] = (builder / "maker.mjs").read_bytes()
    stage["memory.js"] = files["app/memory.js"]
    stage["index.html"] = (
        b'<script type="module">new Worker("maker.mjs", {type: "module"})</script>'
    )
    network = json.loads(files["weights/index.json"])[0]["file"]  # the first one is the default
    for name, data in files.items():
        if name.startswith("runtime/pyodide/"):
            stage[name.removeprefix("runtime/")] = data
        elif name.startswith("pynet/") or name in (
            "answers.py", "worker.py", "weights/index.json", f"weights/{network}"
        ):  # fmt: skip
            stage[f"home/{name}"] = data
    lock = {**lock_file(""), "packages": {}}
    python = ".".join(lock["info"]["python"].split(".")[:2])
    packages = f"/lib/python{python}/site-packages/"  # in Pyodide
    with zipfile.ZipFile(io.BytesIO(files[WHEEL])) as wheel:
        found = [n for n in wheel.namelist() if n.startswith(tuple(f"{x}." for x in LIBRARIES))]
        stage |= {f"disk{packages}{name}": wheel.read(name) for name in sorted(found)}
    recipe = {
        "libraries": [packages + name for name in sorted(found)],
        "files": [name.removeprefix("home/") for name in sorted(stage) if name.startswith("home/")],
        "archive": WHEEL.removeprefix("runtime/"),
        "packages": packages,
        "lock": lock,
        "own": OWN,
    }
    notes = {f"counted/{name}": counted(data, name) for name, data in compiled(stage).items()}
    return {**stage, **notes, "recipe.json": to_json(recipe)}


def made(stage: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what maker.mjs makes of these files; nothing, with a word, where that fails."""
    problems = []
    with tempfile.TemporaryDirectory(prefix="pynet-snapshot-") as name:
        folder = Path(name)
        for path, data in stage.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        for tool, run in makers():
            say(f"snapshot: made in {tool}")
            try:
                return run(folder)
            except (BuildError, OSError) as error:
                problems.append(describe(error) if isinstance(error, OSError) else str(error))
    reason = "; ".join(problems) or f"neither Node {NODE} or later nor Chromium is here"
    say(f"snapshot: none, so the page starts slower ({reason})")
    return {}


def makers() -> Iterator[tuple[str, object]]:
    """Yield what can make a snapshot here: its name, and a function of the filled folder."""
    if node := shutil.which("node"):
        version = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip()
        number = re.match(r"v(\d+)", version)
        if number and int(number[1]) >= NODE:
            yield f"Node {version}", lambda folder: in_node(node, folder)
    if chromium := next(filter(starts, chromium_paths()), None):
        yield "Chromium", lambda folder: in_chromium(chromium, folder)


def in_node(node: str, folder: Path) -> dict[str, bytes]:
    """Make the snapshot in Node."""
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    try:
        subprocess.run(
            [node, "maker.mjs"], cwd=folder, env=ENVIRONMENT, timeout=LIMIT, check=True, **quiet
        )
    except subprocess.SubprocessError as error:  # of both kinds: its time is up, or it broke down
        raise BuildError(one_line(error)) from None
    failed = folder / "failed.txt"
    if failed.exists():
        raise BuildError(failed.read_text("utf-8"))
    return {name: (folder / name).read_bytes() for name in MADE}


def in_chromium(chromium: str, folder: Path) -> dict[str, bytes]:
    """Make the snapshot in a headless Chromium, which sends it to a server that runs meanwhile."""
    arrived: queue.Queue[tuple[str, bytes]] = queue.Queue()

    class Handler(http.server.SimpleHTTPRequestHandler):
        """Serves the folder, and takes the snapshot."""

        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def guess_type(self, path: str) -> str:
            """Return the types that a browser insists on, whatever this system knows of them."""
            ends = {
                ".mjs": "text/javascript",
                ".js": "text/javascript",
                ".wasm": "application/wasm",
            }
            return ends.get(Path(path).suffix) or super().guess_type(path)

        def do_PUT(self) -> None:
            """Take what the page has made, or what failed."""
            arrived.put((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Stay silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="pynet-chromium-") as profile:
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += [f"--user-data-dir={profile}", f"http://127.0.0.1:{server.server_port}/"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=ENVIRONMENT, **quiet)
        try:
            found = {}
            while found.keys() != set(MADE):
                path, data = arrived.get(timeout=LIMIT)
                if path == "/failed.txt":
                    raise BuildError(data.decode("utf-8"))
                found[path[1:]] = data
            return found
        except queue.Empty:
            raise BuildError(f"Chromium sent no snapshot within {LIMIT} s") from None
        finally:
            process.terminate()
            process.wait()
            server.shutdown()
            server.server_close()
