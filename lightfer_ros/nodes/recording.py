"""The recorder node: follows topics as they appear and writes what they carry, untouched."""

from __future__ import annotations

import importlib
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, List

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.nodes.bag import BagWriter

LOOK_PERIOD_S = 0.2
"""How often topics are looked for that have no publisher yet."""

DEPTH = 1000


class RecorderNode(Node):  # type: ignore[misc]
    """Records `topics` into the folder `output`, from the moment each of them has a publisher."""

    def __init__(self) -> None:
        super().__init__("recorder")
        topics: List[str] = list(self.declare_parameter("topics", ["emotions", "/diagnostics"]).value)
        output = str(self.declare_parameter("output", "").value)
        if not topics or not all(topics):
            raise ConfigurationError(f"parameter topics is {topics}, expected names of topics")
        path = Path(output or f"lightfer_bag_{datetime.now():%Y_%m_%d-%H_%M_%S}").expanduser()
        self._waiting = {self.resolve_topic_name(topic) for topic in topics}
        self._held: Dict[str, Any] = {}
        self._bag = BagWriter(path)
        self.get_logger().info(f"records {', '.join(sorted(self._waiting))} into {path}")
        self.create_timer(LOOK_PERIOD_S, self._look_for_topics, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Finish the bag, so that every reader opens it."""
        self._bag.close()
        # ROS is shut down by now, and its log with it.
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
        self._bag.add_topic(topic, message_type)

        def write(serialized: bytes) -> None:
            self._bag.write(topic, self.get_clock().now().nanoseconds, serialized)

        self._held[topic] = self.create_subscription(_class(message_type), topic, write, qos, raw=True)


def _class(message_type: str) -> Any:
    """The Python class of "package/msg/Name"."""
    package, _, name = message_type.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)
