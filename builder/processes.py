"""Other programs, run without their output on the terminal."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from builder.console import ROOT, Progress, describe
from builder.files import folder_size


def works(command: list[str]) -> bool:
    """Return whether a command succeeds within a quarter of an hour; its output is dropped."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL, timeout=900
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run_quietly(command: list[str], scratch: str, progress: Progress | None = None) -> str:
    """Run a downloader with its temporary files in `scratch`; return what went wrong, or ""."""
    environment = {**os.environ, "TMPDIR": scratch, "TMP": scratch, "TEMP": scratch}
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            return describe(error)
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if progress:
                    progress.reach(folder_size(Path(scratch)))
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode == 0:
            return ""
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()] or ["no message"]
        return next((line for line in said if "error" in line.lower()), said[-1])
