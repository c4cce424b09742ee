"""A ROS graph of the test's own: a listener that can wait, a camera, and photos to show it."""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from lightfer_msgs.msg import EmotionArray
from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest

DOMAIN = 1 + os.getpid() % 99
START_S = 60.0
"""Longest time that a node may take to load on a busy machine."""


class Graph:
    """A ROS context with one node, spun in a thread; everything heard is kept, and can be waited for."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.context = Context()
        self.context.init(domain_id=DOMAIN)
        self.node = Node("test", namespace=namespace, context=self.context)
        self.emotions: list[EmotionArray] = []
        self.arrival_s: list[float] = []
        self.diagnostics: dict[str, Any] = {}
        self._changed = threading.Condition()
        self.listen(EmotionArray, "emotions", self._on_emotions)
        self.listen(DiagnosticArray, "/diagnostics", self._on_diagnostics)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def listen(self, kind: Any, topic: str, callback: Callable[[Any], None], depth: int = 100) -> Any:
        """Subscribe; `wait` looks again after each message."""

        def hear(message: Any) -> None:
            callback(message)
            with self._changed:
                self._changed.notify_all()

        return self.node.create_subscription(kind, topic, hear, depth)

    def wait(self, condition: Callable[[], Any], what: str, timeout_s: float = START_S) -> Any:
        """Return the condition's value as soon as it holds; fail saying what did not happen."""
        with self._changed:
            deadline = time.monotonic() + timeout_s
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    pytest.fail(f"did not happen within {timeout_s:g} s: {what}")
                self._changed.wait(min(left, 0.1))

    def answer_to(self, stamp: tuple[int, int], timeout_s: float = START_S) -> EmotionArray:
        """The array that carries this header stamp."""
        found = lambda: next((m for m in self.emotions if _stamp(m) == stamp), None)  # noqa: E731
        return self.wait(found, f"an answer to the image of {stamp}", timeout_s)

    def status(self, name: str, condition: Callable[[Any], bool], timeout_s: float = START_S) -> Any:
        """The newest diagnostics of that name (`input`, `perception`) for which the condition holds."""
        full = f"{self.namespace.lstrip('/')}/emotion_node: {name}"

        def found() -> Any:
            status = self.diagnostics.get(full)
            return status if status is not None and condition(status) else None

        return self.wait(found, f"diagnostics {name}; last {self.diagnostics.get(full)}", timeout_s)

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = START_S) -> Any:
        """Call a service and return its answer."""
        client = self.node.create_client(kind, name)
        try:
            self.wait(client.service_is_ready, f"service {name}", timeout_s)
            future = client.call_async(request)
            self.wait(future.done, f"answer of {name}", timeout_s)
            return future.result()
        finally:
            self.node.destroy_client(client)

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(5)
        self.node.destroy_node()
        self.context.try_shutdown()

    def _on_emotions(self, message: EmotionArray) -> None:
        self.emotions.append(message)
        self.arrival_s.append(self.node.get_clock().now().nanoseconds * 1e-9)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self.diagnostics.update({status.name: status for status in message.status})


class Camera:
    """Publishes pictures one by one, as a driver would."""

    def __init__(
        self,
        graph: Graph,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        kind: Any = Image,
        topic: str = "image",
    ) -> None:
        self._graph = graph
        self._reliability = reliability
        self.publisher = graph.node.create_publisher(
            kind, topic, QoSProfile(depth=5, reliability=reliability)
        )
        self._next = 1
        graph.emotions.clear()  # stamps begin anew: an earlier camera's answers are not to this one's images

    def wait_for_listener(self) -> None:
        """Return when the node under test hears this camera with the reliability that it chose."""
        topic = self.publisher.topic_name

        def heard() -> bool:
            listeners = self._graph.node.get_subscriptions_info_by_topic(topic)
            settled = [listener.qos_profile.reliability for listener in listeners] == [self._reliability]
            return settled and self.publisher.get_subscription_count() == 1

        self._graph.wait(heard, "the node subscribes")

    def send(self, bgr: np.ndarray, **fields: Any) -> tuple[int, int]:
        """Publish a bgr8 picture, fields of the message overridden by `fields`; return its stamp."""
        return self.send_message(image_message(bgr, **fields))

    def send_message(self, message: Any, period_s: float = 0.2) -> tuple[int, int]:
        """Publish any image under the next stamp, `period_s` after the one before."""
        self._next += 1
        stamp = divmod(round(self._next * period_s * 1e9), 1_000_000_000)
        message.header.stamp.sec, message.header.stamp.nanosec = stamp
        message.header.frame_id = "camera_optical"
        self.publisher.publish(message)
        return stamp


def image_message(bgr: np.ndarray, **fields: Any) -> Image:
    """A bgr8 Image of a picture, with fields overridden."""
    height, width = bgr.shape[:2]
    data = fields.pop("data", None)
    values = {"height": height, "width": width, "encoding": "bgr8", "step": 3 * width, **fields}
    message = Image(**values)
    message.data.frombytes(np.ascontiguousarray(bgr).tobytes() if data is None else bytes(data))
    return message


def _stamp(message: EmotionArray) -> tuple[int, int]:
    return message.header.stamp.sec, message.header.stamp.nanosec


def photo(name: str, size: tuple[int, int] = (640, 480)) -> np.ndarray:
    """One of the fetched photos, uint8 [h, w, 3] BGR, fitted into `size` on black."""
    try:
        picture = cv2.imread(str(manifest.find(name)))
    except ModelError as error:
        pytest.skip(str(error))
    scale = min(size[0] / picture.shape[1], size[1] / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small[: size[1], : size[0]]
    return canvas


def value(status: Any, key: str) -> str:
    """One value of a DiagnosticStatus."""
    return str(next(pair.value for pair in status.values if pair.key == key))
