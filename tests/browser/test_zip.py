"""The file for a classroom: unpacked, served by Python's own server, it reads digits."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from browser.conftest import Site, asset
from browser.digits import DIGITS
from builder.archive import write_archive


@pytest.fixture
def classroom(dist, tmp_path):
    """Serve the unpacked archive with the line of its README; yields the address."""
    archive = write_archive(dist)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
        (readme,) = [name for name in opened.namelist() if name.endswith("README.txt")]
    text = (tmp_path / readme).read_text()
    (line,) = [line for line in text.splitlines() if line.strip().startswith("python -m")]
    # The port is the one thing added: 8000 may be taken here. Unbuffered, so that it is told.
    command = [sys.executable, "-u", *line.split()[1:], "0"]
    folder = tmp_path / Path(readme).parent
    server = subprocess.Popen(command, cwd=folder, stdout=-1, stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().split(" port ")[1].split()[0]
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.kill()
        server.communicate()


def test_unpacked_and_served_by_python(classroom, new_page, watch):
    """The page from the archive classifies, and fetches what is packed as it is stored."""
    watch.origin = classroom
    page = Site(new_page())
    packed = []
    page.page.context.on("response", lambda answer: packed.append(answer.url))
    page.open(classroom).expect_state("ready")
    for digit in (1, 7):
        page.draw(DIGITS[digit][0])
        page.expect_digit(digit)
        page.page.get_by_test_id("clear").click()
    core = asset(classroom, "runtime/pyodide/pyodide.asm.wasm")
    assert [url[-3:] for url in packed if core(url)] == [".gz"]
