"""The camera node: plays a source in real time as Image, CompressedImage and CameraInfo."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from lightfer_ros.errors import LightferError, SourceError
from lightfer_ros.nodes import parameters
from lightfer_ros.nodes.camera_config import CameraConfig
from lightfer_ros.nodes.images import to_image, to_jpeg
from lightfer_ros.nodes.markers import focal_length_of
from lightfer_ros.perception.video import FrameSource, open_source

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 16.0
"""A camera that went away is tried again after pauses that double from the first to the longest."""

LISTENER_PERIOD_S = 0.05
SETTLED_S = 0.5
"""A listener that follows the publisher's reliability subscribes twice; discovery is done after this."""

LONGEST_DELIVERY_S = 5.0
"""So long the last picture may take to be heard; Fast DDS asks for what is missing every 3 s."""


class CameraNode(Node):  # type: ignore[misc]
    """Publishes `image`, `image/compressed` and `camera_info` from its own thread, since reading blocks."""

    def __init__(self) -> None:
        super().__init__("camera_node")
        self._config = config = parameters.declare(self, CameraConfig, fixed=True)
        qos = QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE
            if config.reliability == "reliable"
            else ReliabilityPolicy.BEST_EFFORT,
        )
        self._image = self.create_publisher(Image, "image", qos)
        self._jpeg = self.create_publisher(CompressedImage, "image/compressed", qos)
        self._info = self.create_publisher(CameraInfo, "camera_info", 1)
        self._stop = threading.Event()
        # Run by the executor, so that it looks at `finished` again.
        self._ended = self.create_guard_condition(lambda: None)
        self.finished = False
        self.exit_code = 0
        self.published = 0
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def start(self) -> None:
        """Begin to play; a source that is not there yet is tried again and again."""
        self._thread.start()

    def close(self) -> None:
        """Let go of the source."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(0.5)

    def _run(self) -> None:
        try:
            self._play()
        except Exception as error:
            # A signal ends ROS at once, perhaps in the middle of a picture.
            if self.context.ok():
                self.get_logger().fatal(f"{type(error).__name__}: {error}")
                self.finished, self.exit_code = True, 1
        if not self._stop.is_set() and self.context.ok():
            self._ended.trigger()

    def _play(self) -> None:
        pause = FIRST_PAUSE_S
        self._wait_for_subscriber()
        while not self._stop.is_set():
            before = self.published
            try:
                with self._open() as source:
                    self.get_logger().info(
                        f"plays {source.name}: {source.width}x{source.height}, {source.fps:g} Hz"
                    )
                    self._publish_all(source)
                if not self._stop.is_set():
                    self._at_end()
                return
            except SourceError as error:
                pause = FIRST_PAUSE_S if self.published > before else pause
                self.get_logger().error(f"{error}; trying again in {pause:g} s")
            except LightferError as error:
                self.get_logger().fatal(str(error))
                self.finished, self.exit_code = True, 2
                return
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _open(self) -> FrameSource:
        config = self._config
        size = (config.width, config.height) if config.width and config.height else None
        return open_source(config.source, loop=config.loop, rate=config.rate, size=size)

    def _publish_all(self, source: FrameSource) -> None:
        start = time.monotonic()
        while not self._stop.is_set():
            picture = source.read()
            if picture is None:
                return
            ahead = start + picture.seconds - time.monotonic()
            if not source.live and ahead > 0 and self._stop.wait(ahead):
                return
            self._publish(picture.bgr)

    def _publish(self, bgr: np.ndarray) -> None:
        header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._config.frame_id)
        height, width = bgr.shape[:2]
        self._image.publish(to_image(bgr, header))
        if self._jpeg.get_subscription_count():
            self._jpeg.publish(to_jpeg(bgr, header, self._config.jpeg_quality))
        self._info.publish(camera_info(width, height, self._config.field_of_view_deg, header))
        self.published += 1

    def _wait_for_subscriber(self) -> None:
        if not self._config.wait_for_subscriber:
            return
        settled = 0.0
        while settled < SETTLED_S and not self._stop.wait(LISTENER_PERIOD_S):
            heard = self._image.get_subscription_count() + self._jpeg.get_subscription_count() > 0
            settled = settled + LISTENER_PERIOD_S if heard else 0.0

    def _at_end(self) -> None:
        self.get_logger().info(f"the source has ended after {self.published} pictures")
        if self._config.exit_at_end:
            self._deliver()
        self.finished = self._config.exit_at_end

    def _deliver(self) -> None:
        """Wait until reliable listeners have the last picture: what they lack ends with this process."""
        end = time.monotonic() + LONGEST_DELIVERY_S
        for publisher in (self._image, self._jpeg, self._info):
            try:
                while not publisher.wait_for_all_acked(Duration(seconds=LISTENER_PERIOD_S)):
                    if self._stop.is_set() or time.monotonic() > end:
                        return
            except Exception:  # a middleware that cannot tell, or ROS before Humble
                return


def camera_info(width: int, height: int, field_of_view_deg: float, header: Any) -> CameraInfo:
    """The CameraInfo of a pinhole camera without distortion, square pixels, looking through the middle."""
    focal = focal_length_of(width, field_of_view_deg)
    x, y = width / 2.0, height / 2.0
    return CameraInfo(
        header=header,
        width=width,
        height=height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[focal, 0.0, x, 0.0, focal, y, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[focal, 0.0, x, 0.0, 0.0, focal, y, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
