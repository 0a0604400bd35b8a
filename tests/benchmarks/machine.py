"""Where, when and how undisturbed a benchmark ran: the lines that stand above each table."""

import datetime
import importlib.metadata
import importlib.util
import os
import platform
import shlex
import sys
from pathlib import Path

PROC = Path("/proc")


def need(*packages):
    """End the program in one line where a package is missing."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"this benchmark needs {', '.join(packages)}; missing: {', '.join(missing)}")


def describe(versions):
    """Return the lines on machine, date, versions and command.

    Parameters
    ----------
    versions : list of str
        Names of Python packages, or "name version" of other things.
    """
    cpu = platform.processor() or platform.machine()
    info = PROC / "cpuinfo"
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    named = [
        entry if " " in entry else f"{entry} {importlib.metadata.version(entry)}"
        for entry in versions
    ]
    return [
        f"- Machine: {cpu}, {os.cpu_count()} cores, {platform.system()}",
        f"- Date: {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
        f"- Versions: Python {platform.python_version()}, {', '.join(named)}",
        f"- Command: `python {shlex.join(sys.argv)}`",
    ]


class Others:
    """How much of the processors other programs took meanwhile (Linux only)."""

    def __init__(self):
        self.start = self._times()

    def line(self):
        """Return the line to print beneath a table."""
        if self.start is None:
            return "Other work on the machine meanwhile: unknown."
        now = self._times()
        busy, total, own = (b - a for a, b in zip(self.start, now, strict=True))
        return f"Other work on the machine meanwhile: {max(0, busy - own) / total:.0%} of its CPU."

    def _times(self):
        """Return busy and total time of all processors and that of our own processes, in ticks."""
        if not (PROC / "stat").exists():
            return None
        fields = [int(n) for n in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields), self._own()

    def _own(self):
        """Add up the time of this process and its descendants, those that have ended too."""
        parents, times = {}, {}
        for path in PROC.glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            number = int(path.parent.name)
            parents[number] = int(fields[1])
            times[number] = sum(map(int, fields[11:15]))
        own = {os.getpid()}
        while more := {n for n, parent in parents.items() if parent in own} - own:
            own |= more
        return sum(times[number] for number in own)
