"""The peak of a browser's memory while it opens a page (Linux only).

References
----------
Chromium, "Private memory footprint" (docs/memory/key_concepts.md): on Linux resident anonymous
memory and swap, which is what its own task manager shows; proc(5) for the names of the fields.
"""

import threading
import time
from pathlib import Path

INTERVAL = 0.02  # seconds between two looks
PRIVATE = ("RssAnon:", "RssShmem:", "VmSwap:")


def fields(process):
    """Return the sizes that the kernel tells of a process, in bytes; empty where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    split = [line.split() for line in lines]
    return {words[0]: 1024 * int(words[1]) for words in split if words[-1] == "kB"}


def renderers(browser):
    """Return the processes below `browser` that run pages and workers."""
    parents, found = {}, []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if b"--type=renderer" in (path / "cmdline").read_bytes():
                found.append(int(path.name))
        except OSError:  # it has just ended
            continue

    def below(process):
        while process and process != browser:
            process = parents.get(process, 0)
        return process == browser

    return [process for process in found if below(process)]


class Peak:
    """Watches a browser's renderers.

    `private`, in bytes, is the peak of what belongs to them alone, all together: without the
    browser's own program and libraries, which resident memory counts in each process and which no
    page can change. `resident` is the peak of all resident memory of the largest of them.
    """

    def __init__(self, browser):
        self.browser = browser  # number of its process
        self.private = self.resident = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.ended.set()
        self.thread.join()

    def _watch(self):
        """Look again and again; who is there, less often."""
        looked, processes = 0.0, []
        while not self.ended.wait(INTERVAL):
            if time.monotonic() > looked + 10 * INTERVAL:
                looked, processes = time.monotonic(), renderers(self.browser)
            found = [fields(process) for process in processes]
            total = sum(each.get(name, 0) for each in found for name in PRIVATE)
            self.private = max(self.private, total)
            # The kernel keeps this peak itself.
            self.resident = max([self.resident, *(each.get("VmHWM:", 0) for each in found)])
