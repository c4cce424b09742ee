"""Other work on a machine: processes that keep processors busy while something else is measured."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[list[int]]:
    """So many processes that only count, by their process ids, until the with-block is left; none for 0."""
    # They end with a parent that was killed: their standard input closes then.
    code = (
        "import os, threading\n"
        "threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()\n"
        "while True: pass"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) for _ in range(count)]
    try:
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.communicate()
