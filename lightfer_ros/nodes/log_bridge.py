"""What the core and TensorRT say in Python's logging goes to the node's own log."""

from __future__ import annotations

import logging
from typing import Any


class LogBridge(logging.Handler):
    """Forwards records of `lightfer_ros`, information and above, to a node's logger, until it is closed."""

    def __init__(self, node: Any) -> None:
        super().__init__(logging.INFO)
        self._logger = node.get_logger()
        self._ours = logging.getLogger("lightfer_ros")
        self._level = self._ours.level
        self._ours.setLevel(logging.INFO)
        self._ours.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """One record; never raises."""
        try:
            # A line each: rclpy refuses another severity from a line that has logged before.
            if record.levelno >= logging.ERROR:
                self._logger.error(record.getMessage())
            elif record.levelno >= logging.WARNING:
                self._logger.warning(record.getMessage())
            else:
                self._logger.info(record.getMessage())
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Forward no more."""
        self._ours.removeHandler(self)
        self._ours.setLevel(self._level)
        super().close()
