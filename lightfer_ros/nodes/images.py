"""ROS image messages to frames, and pictures to ROS image messages."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from lightfer_ros.errors import ImageError
from lightfer_ros.perception.decode import KNOWN_ENCODINGS, decode, decode_compressed
from lightfer_ros.perception.frame import Frame


def to_frame(message: Any, jpeg_reduction: int = 1) -> Frame:
    """The picture in an Image or CompressedImage; jpeg_reduction: see `decode_compressed`.

    Encodings that we do not know are left to cv_bridge, where it is installed. Raises ImageError with the
    reason where the picture cannot be used.
    """
    if isinstance(message, CompressedImage):
        return decode_compressed(message.format, message.data, reduction=jpeg_reduction)
    if message.encoding not in KNOWN_ENCODINGS:
        bridged = _ask_cv_bridge(message)
        if bridged is not None:
            return Frame.from_array(bridged)
    return decode(
        message.encoding,
        message.width,
        message.height,
        message.step,
        bool(message.is_bigendian),
        message.data,
    )


def to_image(bgr: np.ndarray, header: Any) -> Image:
    """A bgr8 Image from uint8 [h, w, 3], contiguous."""
    height, width = bgr.shape[:2]
    message = Image(header=header, height=height, width=width, encoding="bgr8", step=3 * width)
    # Assigning the array itself takes 100 ms: rclpy checks every byte.
    message.data.frombytes(np.ascontiguousarray(bgr))
    return message


def to_jpeg(bgr: np.ndarray, header: Any, quality: int) -> CompressedImage:
    """A JPEG CompressedImage from uint8 [h, w, 3]; quality 1 to 100."""
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    message = CompressedImage(header=header, format="bgr8; jpeg compressed bgr8")
    message.data.frombytes(encoded)
    return message


def _ask_cv_bridge(message: Any) -> Any:
    try:
        from cv_bridge import CvBridge, CvBridgeError
    except Exception:  # absent, or built against another NumPy: then the encoding is simply unknown
        return None
    try:
        return CvBridge().imgmsg_to_cv2(message, "bgr8")
    except (CvBridgeError, ValueError, TypeError) as error:
        raise ImageError(f"encoding {message.encoding!r}: cv_bridge cannot convert it: {error}") from None
