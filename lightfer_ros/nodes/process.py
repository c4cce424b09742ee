"""One node as a process: started, spun, and ended cleanly by SIGINT or SIGTERM at any moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any, Callable, List, Optional

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run(make_node: Callable[[], Any], arguments: Optional[List[str]] = None) -> int:
    """Make a node and spin it until a signal comes or the node asks to end; return the exit code.

    make_node: called after `rclpy.init`; imports its libraries only then. The node may have `start()`, called
    once before spinning, `close()`, called once at the end, and `finished`, true when it wants to end.
    """
    stopped = threading.Event()

    def stop(*_: Any) -> None:
        """Leave whatever the main thread is doing, loading included; a second signal changes nothing."""
        stopped.set()
        _ignore_further_signals()
        raise SystemExit(0)

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    code = 0
    node: Any = None
    try:
        import rclpy
        from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

        from lightfer_ros.errors import LightferError

        try:
            rclpy.init(args=arguments)
            node = make_node()
            executor = SingleThreadedExecutor()
            executor.add_node(node)
            if hasattr(node, "start"):
                node.start()
            while rclpy.ok() and not getattr(node, "finished", False):
                executor.spin_once()
        except ExternalShutdownException:
            pass
        except LightferError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 2
    except SystemExit as stop:
        code = int(stop.code or 0)
    except Exception:
        # Raised inside a C extension, the stop may come out of it as any other error.
        if not stopped.is_set():
            raise
    _ignore_further_signals()
    _end(node)
    return code


def _ignore_further_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end(node: Any) -> None:
    """Close the node and ROS; where a library still holds a thread, end the process without it."""
    rclpy = sys.modules.get("rclpy")
    if node is not None:
        if hasattr(node, "close"):
            node.close()
        node.destroy_node()
    if rclpy is not None and hasattr(rclpy, "try_shutdown"):
        rclpy.try_shutdown()
    others = [
        t for t in threading.enumerate() if t is not threading.current_thread() and t.name == "perception"
    ]
    if others:
        # Still inside a C++ call that cannot be interrupted; everything of ours that others see is gone.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
