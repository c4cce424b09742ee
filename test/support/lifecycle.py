"""A lifecycle node, told to change and asked for its state."""

from __future__ import annotations

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState

pytest.importorskip("rclpy.lifecycle", reason="this ROS has no lifecycle in rclpy")


def change(graph, transition: int) -> bool:
    """Ask the emotion node for a transition; whether it succeeded."""
    request = ChangeState.Request(transition=Transition(id=transition))
    name = f"{graph.namespace}/emotion_node/change_state"
    return bool(graph.call(ChangeState, name, request).success)


def state(graph) -> str:
    """The emotion node's state by name."""
    name = f"{graph.namespace}/emotion_node/get_state"
    return str(graph.call(GetState, name, GetState.Request()).current_state.label)
