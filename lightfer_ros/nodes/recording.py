"""The recorder node: follows topics as they appear and writes what they carry, untouched."""

from __future__ import annotations

import importlib
from datetime import datetime
from pathlib import Path
from typing import Any, Dict

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from lightfer_ros.errors import DataError
from lightfer_ros.nodes import parameters
from lightfer_ros.nodes.bag import BagWriter
from lightfer_ros.nodes.recorder_config import RecorderConfig

LOOK_PERIOD_S = 0.2
"""How often topics are looked for that have no publisher yet."""

DEPTH = 1000


class RecorderNode(Node):  # type: ignore[misc]
    """Records `topics` into the folder `output`, from the moment each of them has a publisher."""

    def __init__(self) -> None:
        super().__init__("recorder")
        config = parameters.declare(self, RecorderConfig, fixed=True)
        path = Path(config.output or f"lightfer_bag_{datetime.now():%Y_%m_%d-%H_%M_%S}").expanduser()
        self.finished = False
        self.exit_code = 0
        self._waiting = {self.resolve_topic_name(topic) for topic in config.topics}
        self._held: Dict[str, Any] = {}
        self._bag = BagWriter(path)
        self.get_logger().info(f"records {', '.join(sorted(self._waiting))} into {path}")
        self.create_timer(LOOK_PERIOD_S, self._look_for_topics, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Finish the bag, so that every reader opens it."""
        # ROS is shut down by now, and its log with it.
        try:
            self._bag.close()
        except DataError as error:
            print(f"{self.get_fully_qualified_name()}: {error}")
            self.exit_code = 1
        print(f"{self.get_fully_qualified_name()}: {self._bag.written} messages recorded")

    def _look_for_topics(self) -> None:
        for topic, types in self.get_topic_names_and_types():
            if topic in self._waiting and self.count_publishers(topic):
                self._waiting.discard(topic)
                self._record(topic, types[0])

    def _record(self, topic: str, message_type: str) -> None:
        # A publisher that offers reliable gets it; best effort hears the others.
        offers = [info.qos_profile.reliability for info in self.get_publishers_info_by_topic(topic)]
        reliable = all(offer == ReliabilityPolicy.RELIABLE for offer in offers)
        qos = QoSProfile(
            depth=DEPTH,
            reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        )
        try:
            self._bag.add_topic(topic, message_type)
            kind = _class(message_type)
        except (DataError, ImportError, AttributeError) as error:
            self.get_logger().error(f"{topic} is not recorded, its type {message_type} is not known: {error}")
            return
        self._held[topic] = self.create_subscription(
            kind, topic, lambda serialized: self._write(topic, serialized), qos, raw=True
        )

    def _write(self, topic: str, serialized: bytes) -> None:
        if self.finished:
            return
        try:
            self._bag.write(topic, self.get_clock().now().nanoseconds, serialized)
        except DataError as error:
            self.get_logger().fatal(str(error))
            self.finished, self.exit_code = True, 1


def _class(message_type: str) -> Any:
    """The Python class of "package/msg/Name"."""
    package, _, name = message_type.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)
