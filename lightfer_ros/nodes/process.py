"""One node as a process: imported, started, spun, and ended cleanly by SIGINT or SIGTERM at any moment."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from typing import Any, Callable, Iterator, List, Optional

from lightfer_ros.perception.heap import keep_freed_memory

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

SWITCH_INTERVAL_S = 1e-4
"""After so long Python hands its lock to another thread that waits for it, usually after 5 ms: an image gets
from the thread that hears ROS to the one that works on it a millisecond sooner."""

_stop_fd: Optional[int] = None


def run(import_node: Callable[[], Callable[[], Any]], arguments: Optional[List[str]] = None) -> int:
    """Make a node and spin it until a signal comes or the node asks to end; return the exit code.

    import_node: imports what the node needs, a second's work, and returns what makes it. The node may have
    `start()`, called once before spinning, `close()`, called once at the end, `finished`, true when it
    wants to end, and `exit_code`. No signal handler ever raises: inside a library an exception may be
    swallowed, and the stop with it.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, _leave)
    _make_stop_fd()
    keep_freed_memory()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    make_node = import_node()
    import rclpy
    from rclpy.executors import ExternalShutdownException

    from lightfer_ros.errors import LightferError
    from lightfer_ros.nodes.message_executor import MessageExecutor

    stopped = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stopped.set())
    code = 0
    node: Any = None
    executor: Any = None
    try:
        # An executor whose context is shut down while it is made cannot be taken away again.
        with _no_stop_now():
            rclpy.init(args=arguments)  # its own handlers wake whoever waits, then call ours
            executor = MessageExecutor()
        node = make_node()
        executor.add_node(node)
        if hasattr(node, "start") and not stopped.is_set():
            node.start()
        while rclpy.ok() and not stopped.is_set() and not getattr(node, "finished", False):
            # Bounded: a stop between the check and the wait wakes nobody in a node that has no timer.
            executor.spin_once(timeout_sec=0.2)
    except ExternalShutdownException:
        pass
    except LightferError as error:
        print(f"error: {error}", file=sys.stderr)
        code = 2
    except Exception:
        # ROS is shut down under a node that is told to stop: what it was doing may fail in any way.
        if not stopped.is_set():
            raise
    return _end(node, executor, code)


def stop_fd() -> Optional[int]:
    """A file descriptor that is readable once a signal says stop; None in a process that `run` did not start.

    It becomes so at once, while Python's own handlers wait for whoever holds Python's lock.
    """
    return _stop_fd


def told_to_stop() -> bool:
    """Whether a signal has said stop."""
    return _stop_fd is not None and bool(select.select([_stop_fd], [], [], 0)[0])


@contextlib.contextmanager
def _no_stop_now() -> Iterator[None]:
    """Hold back the signals that say stop until the with-block is left; then they come."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _make_stop_fd() -> None:
    """Have Python write a byte into a pipe on each signal; nobody reads it, so it says so ever after."""
    global _stop_fd
    _stop_fd, sink = os.pipe()
    os.set_blocking(sink, False)
    signal.set_wakeup_fd(sink, warn_on_full_buffer=False)


def _leave(*_: Any) -> None:
    """End at once: nothing that others can see has been made yet."""
    os._exit(0)


def _end(node: Any, executor: Any, code: int) -> int:
    """Close the node and ROS; where a library still holds a thread, end the process without it."""
    import rclpy

    if executor is not None:
        executor.shutdown(0)
    if node is not None:
        if hasattr(node, "close"):
            node.close()
        node.destroy_node()
        code = code or getattr(node, "exit_code", 0)
    rclpy.try_shutdown()
    if any(thread is not threading.current_thread() for thread in threading.enumerate()):
        # Still inside a C++ call that cannot be interrupted; everything of ours that others see is gone.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
