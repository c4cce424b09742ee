"""Raw images over DDS at 30 Hz: `talk WxH RELIABILITY` publishes, `listen WxH RELIABILITY` counts.

After 150 images the listener prints one line of JSON: sent, received, and the latency's p50 and p99 in ms.
What was lost is known from the numbers that the images carry, not from time.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from typing import List

import numpy as np
import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

RATE_HZ = 30.0
IMAGES = 150
LONGEST_S = 60.0


def talk(node: Node, width: int, height: int, qos: QoSProfile) -> None:
    """Publish until stopped. The stamp carries the number, frame_id the time of sending."""
    publisher = node.create_publisher(Image, "image", qos)
    message = Image(width=width, height=height, step=3 * width, encoding="bgr8")
    message.data.frombytes(np.zeros(3 * width * height, np.uint8))

    def send() -> None:
        message.header.stamp.sec += 1
        message.header.frame_id = str(time.monotonic_ns())
        publisher.publish(message)

    node.create_timer(1.0 / RATE_HZ, send)
    rclpy.spin(node)


def listen(node: Node, qos: QoSProfile) -> None:
    """Count images from the first that arrives to the one 150 later."""
    numbers: List[int] = []
    latency_ms: List[float] = []
    done = rclpy.Future()

    def hear(message: Image) -> None:
        latency_ms.append((time.monotonic_ns() - int(message.header.frame_id)) * 1e-6)
        numbers.append(message.header.stamp.sec)
        if numbers[-1] - numbers[0] >= IMAGES and not done.done():
            done.set_result(None)

    node.create_subscription(Image, "image", hear, qos)
    rclpy.spin_until_future_complete(node, done, timeout_sec=LONGEST_S)
    p50, p99 = np.percentile(latency_ms, [50, 99]).round(1) if latency_ms else (None, None)
    sent = numbers[-1] - numbers[0] if numbers else 0
    print(json.dumps({"sent": sent, "received": max(0, len(numbers) - 1), "p50_ms": p50, "p99_ms": p99}))


def main() -> None:
    role, size, reliability = sys.argv[1:]
    width, height = (int(n) for n in size.split("x"))
    qos = QoSProfile(depth=10, reliability=ReliabilityPolicy[reliability.upper()])
    rclpy.init()
    # ROS's own handler would end the context under a publisher at work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    node = rclpy.create_node(role)
    if role == "talk":
        talk(node, width, height, qos)
    else:
        listen(node, qos)


if __name__ == "__main__":
    main()
