"""The demo on a real ROS graph: the sample camera, the emotion node, the recorder, and a viewer of it all."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage

from lightfer_msgs.msg import EmotionArray
from lightfer_ros.errors import LightferError
from lightfer_ros.nodes.children import Children
from lightfer_ros.nodes.messages import from_message, seconds
from lightfer_ros.perception.faces import Faces

LONGEST_START_S = 60.0
LONGEST_QUIET_S = 1.5
"""The camera has ended: an answer that has not come after this is not coming."""

VIDEO_RATE = 30.0


@dataclass
class Recording:
    """What the viewer saw: answers and overlays by time from the first image, the last diagnostics."""

    answers: List[Tuple[float, Faces]] = field(default_factory=list)
    pictures: List[Tuple[float, bytes]] = field(default_factory=list)
    diagnostics: Dict[str, Dict[str, str]] = field(default_factory=dict)
    exit_codes: Dict[str, int] = field(default_factory=dict)


class _Viewer(Node):  # type: ignore[misc]
    def __init__(self, show: Callable[[float, Faces, str], None]) -> None:
        super().__init__("demo_viewer")
        self.recording = Recording()
        self._last_answer = self._last_diagnostics = time.monotonic()
        self._show = show
        self._start: Optional[float] = None
        self.create_subscription(CameraInfo, "camera_info", lambda message: self._time(message.header), 100)
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, 100)
        self.create_subscription(CompressedImage, "emotions/image/compressed", self._on_overlay, 100)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def _time(self, header: Any) -> float:
        stamp = seconds(header.stamp)
        if self._start is None:
            self._start = stamp
        return stamp - self._start

    def _on_emotions(self, message: EmotionArray) -> None:
        self._last_answer = time.monotonic()
        at, faces = self._time(message.header), from_message(message)
        self.recording.answers.append((at, faces))
        self._show(at, faces, message.runtime)

    def _on_overlay(self, message: CompressedImage) -> None:
        self.recording.pictures.append((self._time(message.header), bytes(message.data)))

    def is_complete(self) -> bool:
        """Whether the last answer has come, and the diagnostics that count it."""
        quiet = time.monotonic() - self._last_answer > LONGEST_QUIET_S
        return quiet and self._last_diagnostics > self._last_answer + LONGEST_QUIET_S

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self._last_diagnostics = time.monotonic()
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.recording.diagnostics[status.name.split(": ")[-1]] = {**values, "message": status.message}


def run(
    source: str, bag: Path, parameters: Dict[str, Any], show: Callable[[float, Faces, str], None]
) -> Recording:
    """Play a source through the node and return what came out; the recorder writes `bag` meanwhile.

    show: called with each answer's time in seconds, its faces and its runtime. Raises LightferError naming
    the process that failed, or what did not happen.
    """
    rclpy.init()
    viewer = _Viewer(show)
    executor = SingleThreadedExecutor()
    executor.add_node(viewer)
    try:
        with Children() as children:

            def wait(condition: Callable[[], bool], what: str) -> None:
                deadline = time.monotonic() + LONGEST_START_S
                while not condition():
                    children.check()
                    if time.monotonic() > deadline:
                        raise LightferError(f"{what} did not happen within {LONGEST_START_S:g} s")
                    executor.spin_once(timeout_sec=0.05)

            emotion_node = children.start("emotion_node", **parameters)
            children.start("recorder", output=str(bag))
            wait(lambda: viewer.count_subscribers("emotions") >= 2, "the recorder listening to emotions")
            camera = children.start("camera_node", source=source, wait_for_subscriber=True, exit_at_end=True)
            wait(lambda: bool(viewer.recording.answers), "a first answer")
            while camera.poll() is None and emotion_node.poll() is None:
                executor.spin_once(timeout_sec=0.05)
            children.check()
            wait(viewer.is_complete, "the last diagnostics")
            viewer.recording.exit_codes = children.end()
        return viewer.recording
    finally:
        viewer.destroy_node()
        rclpy.try_shutdown()


def write_video(pictures: List[Tuple[float, bytes]], path: Path) -> None:
    """The overlay as a video in real time: a picture stays until the next one came.

    pictures: time in seconds and JPEG, in order. Raises LightferError where OpenCV cannot write it.
    """
    writer: Optional[cv2.VideoWriter] = None
    written = 0
    for at, jpeg in pictures:
        bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if writer is None:
            size = (bgr.shape[1], bgr.shape[0])
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), VIDEO_RATE, size)
            if not writer.isOpened():
                raise LightferError(f"{path}: OpenCV cannot write this video")
        due = round(at * VIDEO_RATE) + 1
        for _ in range(max(1 if due > written else 0, due - written)):
            writer.write(bgr)
            written += 1
    if writer is not None:
        writer.release()
