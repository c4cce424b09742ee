"""Measuring the emotion node from outside: a camera plays into it, and a listener times what it answers."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Generic, List, Optional, Set, Tuple, TypeVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo

from lightfer_msgs.msg import EmotionArray
from lightfer_ros.errors import LightferError
from lightfer_ros.nodes.children import Children
from lightfer_ros.nodes.messages import seconds

LONGEST_START_S = 60.0
LONGEST_QUIET_S = 10.0
LAST_ANSWER_S = 1.0
"""An image that has no answer after so long has been dropped."""

Stamp = Tuple[int, int]
Probe = TypeVar("Probe")


@dataclass
class Measurement(Generic[Probe]):
    """What was seen between two moments of a running node, by the stamps of the images."""

    seconds: float = 0.0
    published: List[Stamp] = field(default_factory=list)
    """Stamps of the images that the camera published, by its camera_info."""
    latency_s: Dict[Stamp, float] = field(default_factory=dict)
    """From an image's stamp to its answer received here, by stamp."""
    faces: Dict[Stamp, int] = field(default_factory=dict)
    """How many faces each answer tells of."""
    diagnostics: Dict[str, Dict[str, str]] = field(default_factory=dict)
    """The node's last words of itself: `input` and `perception`."""
    probes: List[Probe] = field(default_factory=list)
    """What the caller's probe said of the node's process at the beginning and at the end."""

    def restrict_to(self, published: Set[Stamp]) -> None:
        """Keep only these images and their answers."""
        self.published = [stamp for stamp in self.published if stamp in published]
        self.latency_s = {stamp: value for stamp, value in self.latency_s.items() if stamp in published}
        self.faces = {stamp: count for stamp, count in self.faces.items() if stamp in published}


def measure(
    source: str,
    parameters: Dict[str, Any],
    warm_up_s: float,
    measured_s: float,
    probe: Callable[[int], Probe],
    show: Callable[[Measurement[Probe]], None],
) -> Measurement[Probe]:
    """Play a source in a loop through a fresh emotion node, and measure it once it has warmed up.

    Camera and node are processes of their own; the listener is here. parameters: of the emotion node.
    probe: called with the node's process id. show: called about once a second with what was seen so far.
    Raises LightferError naming what failed or did not happen.
    """
    namespace = f"/benchmark_{os.getpid()}"
    rclpy.init()
    listener = _Listener(namespace)
    try:
        with Children(namespace) as children:
            node = children.start("emotion_node", **parameters)
            children.start("camera_node", source=source, loop=True, wait_for_subscriber=True)
            listener.spin(children, LONGEST_START_S, until=lambda: bool(listener.heard.latency_s))
            if not listener.heard.latency_s:
                raise LightferError(f"emotion_node did not answer within {LONGEST_START_S:g} s")
            listener.spin(children, warm_up_s)
            heard = listener.begin()
            heard.probes.append(probe(node.pid))
            begin = time.monotonic()
            listener.spin(children, measured_s, show=show)
            heard.seconds = time.monotonic() - begin
            heard.probes.append(probe(node.pid))
            published = set(heard.published)
            # Answers under way belong to images of the measured time; later images do not.
            listener.spin(children, LAST_ANSWER_S, until=lambda: published <= set(heard.latency_s))
            heard.restrict_to(published)
            return heard
    except ExternalShutdownException:
        raise KeyboardInterrupt from None  # ROS took the signal first
    finally:
        listener.destroy_node()
        rclpy.try_shutdown()


class _Listener(Node):  # type: ignore[misc]
    """Notes every image and answer, and when it came."""

    def __init__(self, namespace: str) -> None:
        super().__init__("measuring", namespace=namespace)
        self.heard: Measurement[Any] = Measurement()
        self._last_answer = time.monotonic()
        self._failure: Optional[str] = None
        self._prefix = namespace.lstrip("/") + "/emotion_node: "
        self._spinner = SingleThreadedExecutor()
        self._spinner.add_node(self)
        self.create_subscription(CameraInfo, "camera_info", self._on_info, 100)
        self.create_subscription(EmotionArray, "emotions", self._on_emotions, 100)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def begin(self) -> Measurement[Any]:
        """Forget what was heard so far."""
        self.heard = Measurement()
        return self.heard

    def spin(
        self,
        children: Children,
        longest_s: float,
        until: Callable[[], bool] = lambda: False,
        show: Callable[[Any], None] = lambda heard: None,
    ) -> None:
        """Hear until the condition holds or the time is over, and see every second whether all is well."""
        begin = looked = time.monotonic()
        while not until() and time.monotonic() - begin < longest_s:
            self._spinner.spin_once(timeout_sec=0.05)
            if time.monotonic() - looked >= 1.0:
                looked = time.monotonic()
                children.check()
                self._check()
                show(self.heard)

    def _check(self) -> None:
        if self._failure:
            raise LightferError(f"emotion_node: {self._failure}")
        if self.heard.published and time.monotonic() - self._last_answer > LONGEST_QUIET_S:
            raise LightferError(f"emotion_node has been silent for {LONGEST_QUIET_S:g} s")

    def _on_info(self, message: CameraInfo) -> None:
        self.heard.published.append(_stamp(message))

    def _on_emotions(self, message: EmotionArray) -> None:
        now = self.get_clock().now().nanoseconds * 1e-9
        self._last_answer = time.monotonic()
        self.heard.latency_s[_stamp(message)] = now - seconds(message.header.stamp)
        self.heard.faces[_stamp(message)] = len(message.emotions)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith(self._prefix):
                name = status.name[len(self._prefix) :]
                self.heard.diagnostics[name] = {pair.key: pair.value for pair in status.values}
                if status.level == DiagnosticStatus.ERROR:
                    self._failure = status.message


def _stamp(message: Any) -> Stamp:
    return message.header.stamp.sec, message.header.stamp.nanosec
