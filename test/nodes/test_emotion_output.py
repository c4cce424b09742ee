"""Overlay and markers are work that nobody pays for while nobody listens."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")
pytest.importorskip("lightfer_msgs", reason="needs lightfer_msgs: `make setup` builds it")

from rclpy.context import Context
from rclpy.node import Node
from std_msgs.msg import Header

from lightfer_ros.nodes import emotion_output
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame


def test_nothing_is_drawn_or_marked_while_nobody_listens(monkeypatch):
    def costly(*_: object) -> None:
        raise AssertionError("made for nobody")

    monkeypatch.setattr(emotion_output, "draw", costly)
    monkeypatch.setattr(emotion_output, "to_markers", costly)
    made = {"bgr": 0}

    def bgr() -> np.ndarray:
        made["bgr"] += 1
        return np.zeros((48, 64, 3), np.uint8)

    context = Context()
    context.init(domain_id=101)
    node = Node("alone", context=context)
    output = emotion_output.EmotionOutput(node)
    try:
        frame = Frame(64, 48, bgr=bgr, grey=lambda: np.zeros((48, 64), np.uint8))
        faces = Faces(boxes=np.array([[1, 2, 30, 31]]))
        output.publish(faces, frame, Header(), "net", "cpu", NodeConfig(), None)
        assert made["bgr"] == 0, "colours of a picture that only its grey was needed of"
    finally:
        output.close()
        node.destroy_node()
        context.try_shutdown()
