"""The only room with rclpy: parameters, messages, diagnostics and the nodes."""
