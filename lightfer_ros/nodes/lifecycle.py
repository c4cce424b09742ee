"""rclpy's lifecycle node where there is one; before Humble a plain node that starts at once."""

from __future__ import annotations

from typing import Any

__all__ = ["HAS_LIFECYCLE", "LifecycleNode", "TransitionCallbackReturn"]

try:
    from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

    HAS_LIFECYCLE = True
except ImportError:
    from enum import Enum

    from rclpy.node import Node

    HAS_LIFECYCLE = False

    class TransitionCallbackReturn(Enum):  # type: ignore[no-redef]
        """What a transition came to; the names of rclpy's own."""

        SUCCESS = 0
        FAILURE = 1
        ERROR = 2

    class LifecycleNode(Node):  # type: ignore[no-redef,misc]
        """The part of rclpy's LifecycleNode that a node needs to start itself; it offers no services."""

        def trigger_configure(self) -> Any:
            """Call on_configure."""
            return self.on_configure(None)

        def trigger_activate(self) -> Any:
            """Call on_activate."""
            return self.on_activate(None)
