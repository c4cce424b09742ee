"""Our nodes as child processes of a program that needs several of them at once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Any, Dict, List, Optional

from lightfer_ros.errors import LightferError

LONGEST_END_S = 5.0
"""So long a child may take to end after each of the signals that ask it to."""


class Children:
    """Starts nodes, and ends all of them at the end of a with-block, however it is left."""

    def __init__(self, namespace: str = "", environment: Optional[Dict[str, str]] = None) -> None:
        self._namespace = namespace
        self._environment = {**os.environ, **(environment or {})}
        self._processes: Dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str, **parameters: Any) -> subprocess.Popen[bytes]:
        """Start `lightfer_ros.nodes.<module>` with ROS parameters of these names."""
        command = [sys.executable, "-m", f"lightfer_ros.nodes.{module}", "--ros-args", "--log-level", "warn"]
        if self._namespace:
            command += ["-r", f"__ns:={self._namespace}"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={_yaml(value)}"]
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order.
        process = subprocess.Popen(command, env=self._environment, start_new_session=True)
        self._processes[module] = process
        return process

    def check(self) -> None:
        """Raise LightferError naming a child that has ended with an error."""
        for module, process in self._processes.items():
            if process.poll() not in (None, 0):
                raise LightferError(f"{module} ended with exit code {process.returncode}")

    def end(self) -> Dict[str, int]:
        """Ask every child to end, twice if need be, and return the exit codes; the deaf are killed."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            alive = [process for process in self._processes.values() if process.poll() is None]
            for process in alive:
                process.send_signal(number)
            end = time.monotonic() + LONGEST_END_S
            for process in alive:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(end - time.monotonic(), 0.0))
        return {module: process.wait() for module, process in self._processes.items()}

    def __enter__(self) -> Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        items: List[str] = [_yaml(item) for item in value]
        return "[" + ", ".join(items) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
