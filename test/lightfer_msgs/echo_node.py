"""A process that sends every EmotionArray it receives on `there` on to `back`, until it is terminated."""

from __future__ import annotations

import sys

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions

from lightfer_msgs.msg import EmotionArray

LATCHED = QoSProfile(
    depth=10, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
)


def main(domain_id: int) -> None:
    # Without rclpy's handlers a signal ends the process at once, also while it is not waiting for messages.
    rclpy.init(domain_id=domain_id, signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("echo")
    back = node.create_publisher(EmotionArray, "back", LATCHED)
    node.create_subscription(EmotionArray, "there", back.publish, LATCHED)
    rclpy.spin(node)


if __name__ == "__main__":
    main(int(sys.argv[1]))
