"""A file that a C++ library reads to its end without giving up Python's lock, but which can be cut short.

While dlib loads its 100 MB of landmarks (0.4 s on a quiet PC, seconds on a busy one) no Python runs in the
process, no signal handler either. So another process pours the file into a pipe, and stops pouring when it is
told to: then the library meets the end of its file, gives up, and Python goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator

PIPE_BYTES = 1 << 20
"""As much as Linux allows anybody. Less costs time, and no more than this is read after the stop."""

F_SETPIPE_SZ = 1031
"""Linux's number for it; in Python's fcntl since 3.10."""

_POUR = """
import os, select, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
stop = select.poll()
stop.register(0, select.POLLIN)
with open(sys.argv[1], "rb") as file:
    while not stop.poll(0) and os.sendfile(1, file.fileno(), None, 1 << 18):
        pass
"""


@contextlib.contextmanager
def interruptible(path: Path, stop_fd: int) -> Iterator[Path]:
    """A path to read `path` through, once and from start to end; it ends early when `stop_fd` is readable.

    stop_fd: a file descriptor, such as the end of a pipe that `signal.set_wakeup_fd` writes to; it is only
    looked at. Leave the context only after reading. Raises OSError where no process can be started.
    """
    source, sink = os.pipe()
    try:
        with contextlib.suppress(OSError):  # over the user's quota of pipe memory: the usual 64 KiB do
            fcntl.fcntl(sink, F_SETPIPE_SZ, PIPE_BYTES)
        pouring = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _POUR, str(path)],
            stdin=stop_fd,
            stdout=sink,
            stderr=subprocess.DEVNULL,
        )
    except BaseException:
        os.close(source)
        raise
    finally:
        os.close(sink)  # or the reader would never meet an end
    try:
        yield Path(f"/dev/fd/{source}")
    finally:
        os.close(source)
        pouring.wait()
