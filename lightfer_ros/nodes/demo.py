"""The demo on a real ROS graph: a camera, the emotion node, the recorder, and a viewer of it all."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

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

DOMAIN = "87"
"""A domain of its own on this machine alone, unless ROS_DOMAIN_ID names another: a video's people are not to
be told to a robot's listeners, nor a robot's camera to be played in."""

LONGEST_START_S = 60.0
LONGEST_WAIT_AFTER_END_S = 5.0
LONGEST_QUIET_S = 1.5
"""The camera has ended: an answer that has not come after this is not coming."""

Show = Callable[[float, Faces], None]
Keep = Callable[[float, bytes], None]


@dataclass
class Recording:
    """What the viewer saw: answers by time from the first image, last diagnostics, how the nodes ended."""

    answers: List[Tuple[float, Faces]] = field(default_factory=list)
    diagnostics: Dict[str, Dict[str, str]] = field(default_factory=dict)
    exit_codes: Dict[str, int] = field(default_factory=dict)
    interrupted: bool = False


class _Viewer(Node):  # type: ignore[misc]
    def __init__(self, show: Show, keep: Keep) -> None:
        super().__init__("demo_viewer")
        self.recording = Recording()
        self._last_answer = self._last_diagnostics = time.monotonic()
        self._show = show
        self._keep = keep
        self._start: Optional[float] = None
        self.create_subscription(CameraInfo, "camera_info", lambda message: self._time(message.header), 100)
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, 100)
        self.create_subscription(CompressedImage, "emotions/image/compressed", self._on_overlay, 100)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def hears_node(self) -> bool:
        """Whether the node's answers arrive, here and at the recorder: earlier ones would be lost unheard."""
        everybody = self.count_publishers("emotions") > 0 and self.count_subscribers("emotions") > 1
        return everybody and bool(self.recording.diagnostics)

    def is_complete(self) -> bool:
        """Whether the last answer has come, and the diagnostics that count it."""
        quiet = time.monotonic() - self._last_answer > LONGEST_QUIET_S
        return quiet and self._last_diagnostics > self._last_answer + LONGEST_QUIET_S

    def _time(self, header: Any) -> float:
        stamp = seconds(header.stamp)
        if self._start is None:
            self._start = stamp
        return stamp - self._start

    def _on_emotions(self, message: EmotionArray) -> None:
        self._last_answer = time.monotonic()
        at, faces = self._time(message.header), from_message(message)
        self.recording.answers.append((at, faces))
        self._show(at, faces)

    def _on_overlay(self, message: CompressedImage) -> None:
        self._keep(self._time(message.header), bytes(message.data))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            node, _, name = status.name.partition(": ")
            if node == "emotion_node":
                self._last_diagnostics = time.monotonic()
                values = {pair.key: pair.value for pair in status.values}
                self.recording.diagnostics[name] = {**values, "message": status.message}


def isolate() -> str:
    """Keep this process and its children to themselves; return the ROS domain they are in."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    return os.environ.setdefault("ROS_DOMAIN_ID", DOMAIN)


def run(source: str, bag: Path, parameters: Dict[str, Any], show: Show, keep: Keep) -> Recording:
    """Play a source through the node and return what came out; the recorder writes `bag` meanwhile.

    show: called with each answer's time in seconds and its faces; keep: with each overlay's time and JPEG.
    Ctrl-C ends it early. Raises LightferError naming the process that failed, or what did not happen.
    """
    rclpy.init(signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
    viewer = _Viewer(show, keep)
    executor = SingleThreadedExecutor()
    executor.add_node(viewer)
    try:
        with Children() as children:
            children.start("recorder", output=str(bag))
            children.start("emotion_node", **parameters)

            def spin_until(condition: Callable[[], bool], what: str = "") -> None:
                deadline = time.monotonic() + LONGEST_START_S
                while not condition():
                    children.check()
                    if what and time.monotonic() > deadline:
                        raise LightferError(f"{what} did not happen within {LONGEST_START_S:g} s")
                    executor.spin_once(timeout_sec=0.05)

            ended: List[float] = []
            camera: Any = None

            def answered_or_over() -> bool:
                if camera.poll() is not None and not ended:
                    ended.append(time.monotonic())
                over = bool(ended) and time.monotonic() - ended[0] > LONGEST_WAIT_AFTER_END_S
                return over or bool(viewer.recording.answers)

            try:
                spin_until(viewer.hears_node, "a sign of life from emotion_node")
                camera = children.start(
                    "camera_node", source=source, wait_for_subscriber=True, exit_at_end=True
                )
                spin_until(answered_or_over, "a first answer")
                spin_until(lambda: camera.poll() is not None)
                spin_until(viewer.is_complete, "the last diagnostics")
            except KeyboardInterrupt:
                viewer.recording.interrupted = True
            viewer.recording.exit_codes = children.end()
        return viewer.recording
    finally:
        viewer.destroy_node()
        rclpy.try_shutdown()
