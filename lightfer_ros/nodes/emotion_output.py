"""Speaking: the emotions of every image; overlay and markers only while somebody listens."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import MarkerArray

from lightfer_msgs.msg import EmotionArray
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.nodes.images import to_image, to_jpeg
from lightfer_ros.nodes.markers import distance_from_width, focal_length_of, to_markers
from lightfer_ros.nodes.messages import to_message
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.overlay import draw

DEPTH = 10
"""Publishers keep so many messages for reliable listeners that are slower than the camera."""


class EmotionOutput:
    """The node's publishers; exists while the node is configured."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._emotions = node.create_publisher(EmotionArray, "emotions", DEPTH)
        self._image = node.create_publisher(Image, "emotions/image", 1)
        self._jpeg = node.create_publisher(CompressedImage, "emotions/image/compressed", 1)
        self._markers = node.create_publisher(MarkerArray, "emotions/markers", DEPTH)

    def publish(
        self,
        faces: Faces,
        frame: Frame,
        header: Any,
        model: str,
        runtime: str,
        config: NodeConfig,
        focal_length_px: Optional[float],
    ) -> None:
        """Publish what was seen in one image, under that image's own header.

        Faces and focal length are in the frame's pixels; the message is in those of the image that was sent.
        """
        focal_length_px = focal_length_px or focal_length_of(frame.width, config.assumed_field_of_view_deg)
        distance = distance_from_width(faces, focal_length_px, config.assumed_face_width_m)
        sent = faces if frame.reduction == 1 else faces.scaled(frame.reduction)
        self._emotions.publish(to_message(sent, header, *frame.full_size, model, runtime, distance))
        if self._markers.get_subscription_count():
            self._markers.publish(
                to_markers(faces, distance, focal_length_px, frame.width, frame.height, header)
            )
        self._publish_overlay(faces, frame, header, config)

    def close(self) -> None:
        """Take the topics off the graph."""
        for publisher in (self._emotions, self._image, self._jpeg, self._markers):
            self._node.destroy_publisher(publisher)

    def _publish_overlay(self, faces: Faces, frame: Frame, header: Any, config: NodeConfig) -> None:
        wants_image = self._image.get_subscription_count() > 0
        wants_jpeg = self._jpeg.get_subscription_count() > 0
        if not wants_image and not wants_jpeg:
            return
        picture: np.ndarray = draw(frame.bgr, faces)
        if wants_image:
            self._image.publish(to_image(picture, header))
        if wants_jpeg:
            self._jpeg.publish(to_jpeg(picture, header, config.overlay_jpeg_quality))
