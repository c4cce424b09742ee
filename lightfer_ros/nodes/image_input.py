"""Hearing the camera: a subscription whose reliability follows the publisher, and its health."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, List, Optional

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from lightfer_ros.nodes.message_executor import Patient
from lightfer_ros.nodes.messages import seconds
from lightfer_ros.nodes.traffic import Flow, InfoStamps, Traffic

FOLLOW_PERIOD_S = 0.25
"""How often it is looked up who publishes; discovery itself takes about as long."""

_SEQUENCE = "publication_sequence_number"


class ImageInput:
    """Subscribes to the camera and hands every message on; exists only while the node is active."""

    def __init__(self, node: Node, transport: str, reliability: str, on_image: Callable[[Any], None]) -> None:
        """transport: raw or compressed. reliability: auto, reliable or best_effort."""
        self._node = node
        self._type = CompressedImage if transport == "compressed" else Image
        self._name = "image/compressed" if transport == "compressed" else "image"
        self._auto = reliability == "auto"
        self._on_image = on_image
        self._subscription: Any = None
        self.reliability = (
            ReliabilityPolicy.RELIABLE if reliability == "reliable" else ReliabilityPolicy.BEST_EFFORT
        )
        self.traffic = Traffic()
        self.counts_lost = False
        self._publisher_count = 0
        self._last_sequence = 0
        self._info_stamps = InfoStamps()
        self.started = self._now()
        self.last_received: Optional[float] = None
        self.focal_length: Optional[float] = None
        self._focal_length_width = 0
        self._subscribe()
        self._follow_publisher()
        self._info_group = Patient()
        self._info = node.create_subscription(
            CameraInfo, "camera_info", self._on_camera_info, _qos(), callback_group=self._info_group
        )
        self._timer = node.create_timer(FOLLOW_PERIOD_S, self._follow_publisher, clock=_steady_clock())

    @property
    def topic(self) -> str:
        """The full name of the topic, remapped."""
        return str(self._subscription.topic_name)

    @property
    def overwritten(self) -> int:
        """Images that came and went unread, as far as they can be told from lost ones."""
        return self.traffic.overwritten if self.counts_lost else 0

    def rates(self, now: float) -> Flow:
        """Images a second over the last seconds; `now` in the node's clock.

        Where losses are not counted, every image that was not seen is one.
        """
        flow = self.traffic.per_second(now)
        return flow if self.counts_lost else replace(flow, lost=flow.published - flow.seen)

    def silence(self) -> float:
        """Seconds without an image, since the start if none has come; negative when the clock jumped back."""
        return self._now() - (self.started if self.last_received is None else self.last_received)

    @property
    def topic_type(self) -> str:
        """The ROS name of the message type that is expected."""
        return f"sensor_msgs/msg/{self._type.__name__}"

    def publishers(self) -> List[Any]:
        """Who publishes on the topic: rclpy's endpoint information."""
        return list(self._node.get_publishers_info_by_topic(self.topic))

    def focal_length_px(self, width: int) -> Optional[float]:
        """The camera's focal length for an image of that width, pixels; None until a camera_info has come."""
        if self.focal_length is None or not self._focal_length_width:
            return None
        return self.focal_length * width / self._focal_length_width

    def close(self) -> None:
        """Stop hearing."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._info)
        self._node.destroy_subscription(self._subscription)

    def _subscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        # Before Iron a callback takes the message alone.
        numbered = hasattr(Subscription, "CallbackType")
        callback = self._on_numbered_message if numbered else self._on_message
        arguments = (self._type, self._name, callback, _qos(self.reliability))
        self._last_sequence = 0
        try:
            from rclpy.event_handler import SubscriptionEventCallbacks

            events = SubscriptionEventCallbacks(message_lost=self._on_lost)
            self._subscription = self._node.create_subscription(*arguments, event_callbacks=events)
            self.counts_lost = True
        except Exception:  # a middleware that cannot count them, or ROS before Iron
            self._subscription = self._node.create_subscription(*arguments)

    def _follow_publisher(self) -> None:
        publishers = self.publishers()
        self._publisher_count = len(publishers)
        offered = {info.qos_profile.reliability for info in publishers}
        if not offered or not self._auto:
            return
        # Reliable hears reliable publishers only; best effort hears both.
        all_reliable = offered == {ReliabilityPolicy.RELIABLE}
        wanted = ReliabilityPolicy.RELIABLE if all_reliable else ReliabilityPolicy.BEST_EFFORT
        if wanted != self.reliability:
            self.reliability = wanted
            self._node.get_logger().info(f"{self.topic}: input reliability is now {wanted.name}")
            self._subscribe()

    def _on_numbered_message(self, message: Any, info: Any) -> None:
        # The publisher numbers its messages: a gap is an image that was lost, or overwritten unread.
        number = info.get(_SEQUENCE) or 0
        gap: Optional[int] = None
        if self._publisher_count == 1 and 0 < self._last_sequence < number:
            gap = number - self._last_sequence - 1
        self._last_sequence = number
        self._on_message(message, gap)

    def _on_message(self, message: Any, gap: Optional[int] = None) -> None:
        now = self._now()
        # Where messages are not numbered (ROS before Iron) camera_info tells of those that did not come, and
        # each one counts. Otherwise only its newest does, seldom.
        self._info_group.can_wait = gap is not None
        by_info = self._info_stamps.image(seconds(message.header.stamp))
        self.traffic.see(now, by_info if gap is None else gap)
        self.last_received = now
        self._on_image(message)

    def _on_lost(self, event: Any) -> None:
        self.traffic.lose(max(0, int(event.total_count_change)))

    def _on_camera_info(self, message: Any) -> None:
        self._info_stamps.info(seconds(message.header.stamp))
        if message.k[0] > 0.0 and message.width:
            self.focal_length, self._focal_length_width = float(message.k[0]), int(message.width)

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds) * 1e-9


def _qos(reliability: ReliabilityPolicy = ReliabilityPolicy.BEST_EFFORT) -> QoSProfile:
    return QoSProfile(
        depth=1,
        history=HistoryPolicy.KEEP_LAST,
        reliability=reliability,
        durability=DurabilityPolicy.VOLATILE,
    )


def _steady_clock() -> Any:
    """Discovery goes on while simulated time stands still."""
    from rclpy.clock import Clock, ClockType

    return Clock(clock_type=ClockType.STEADY_TIME)
