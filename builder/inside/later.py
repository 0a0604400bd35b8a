"""Finds what a snapshot of Python's memory does not hold: modules that nothing has asked for yet.

A snapshot has no file system in it. Of the standard library and of numpy it holds what had been
imported when it was made; the rest is fetched when the first import asks for it. Only a snapshot
has this module.
"""

import io
import sys
import zipfile
import zlib
from pathlib import Path

STDLIB = next(Path(path) for path in sys.path if path.endswith(".zip"))  # zipimport remembers it
SITE_PACKAGES = next(Path(path) for path in sys.path if path.endswith("site-packages"))


class Later:
    """A finder (importlib.abc.MetaPathFinder) that never finds: it fetches, and others find."""

    def find_spec(self, name, path=None, target=None):
        """Put the files of an archive where the finders behind this one look for them."""
        package = name.partition(".")[0]
        if package in sys.stdlib_module_names and not STDLIB.exists():
            STDLIB.write_bytes(archive("python_stdlib.zip"))
        elif package == "numpy" and not (SITE_PACKAGES / "numpy").exists():
            with zipfile.ZipFile(io.BytesIO(archive("numpy.whl"))) as wheel:
                wheel.extractall(SITE_PACKAGES)


def archive(name):
    """Return an archive of the site, with the gzip undone that the browser has left."""
    from pynet_site import fetch  # a JavaScript object: a snapshot could not hold it

    data = fetch(name).to_bytes()
    return zlib.decompress(data, wbits=31) if data[:2] == b"\x1f\x8b" else data


def install():
    """Have this asked before the finders that look into files."""
    place = next(k for k, finder in enumerate(sys.meta_path) if "PathFinder" in repr(finder))
    sys.meta_path.insert(place, Later())
