"""`build.py zip`: the site as one file, for a classroom without internet."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from builder.console import say, shown
from builder.files import source_files, write_atomically

FOLDER = "pynet-page"
README = f"""\
pynet: draw a digit, and a neural network says which one it is

1. Unpack this archive.
2. In the folder {FOLDER}, run with any Python 3:

       python -m http.server

   On Windows that may be `py -m http.server`, on others `python3 -m http.server`.
3. Open http://localhost:8000 in Chrome, Edge or Firefox, or in Safari.

No internet is needed, and nothing that is drawn leaves the device. The window with Python must stay
open until the page says that it can be used offline.

For a whole class, one computer serves all: others in its network open http://ADDRESS:8000, where
ADDRESS is that computer's own. Any web server that hands out files will do as well. Browsers keep a
page for offline use only from localhost or from https.

What is in this folder, whose it is and under which licences: licenses.txt
"""


def write_archive(site: Path) -> Path:
    """Write the folder `site` and a README into one zip beside it, and return its path.

    The bytes are the same for the same site. What is packed already is stored as it is, and what is
    there twice, packed and plain, is left out plain: Python's server does not compress.
    """
    target = site.with_name(f"{site.name}.zip")
    files = {path.relative_to(site).as_posix(): path.read_bytes() for path in source_files(site)}
    files = {name: data for name, data in files.items() if f"{name}.gz" not in files}
    files["README.txt"] = README.encode()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}")  # of 1 January 1980
            entry.create_system = 3  # as on Unix, wherever it is made
            entry.external_attr = 0o644 << 16
            packed = name.endswith((".gz", ".npz", ".png"))
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=None if packed else 9)
    write_atomically(target, body.getvalue())
    say(f"{shown(target)}: {len(files)} files, {target.stat().st_size / 1e6:.1f} MB")
    return target
