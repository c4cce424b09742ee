"""What the core logs reaches the node's log, in every severity, one after the other."""

import logging

import pytest

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")

import rclpy.logging

from lightfer_ros.nodes.log_bridge import LogBridge


class Node:
    def get_logger(self):
        return rclpy.logging.get_logger("log_bridge_test")


def test_records_of_every_severity_are_forwarded_until_it_is_closed(capfd):
    bridge = LogBridge(Node())
    core = logging.getLogger("lightfer_ros.runtimes.registry")
    for level in (logging.INFO, logging.WARNING, logging.ERROR, logging.INFO):
        core.log(level, "%s passed over", logging.getLevelName(level))
    core.debug("too fine")
    bridge.close()
    core.info("too late")
    said = capfd.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "log_bridge_test" in line]
    assert [line.split("]")[0].lstrip("[") for line in lines] == ["INFO", "WARN", "ERROR", "INFO"]
    assert "Logging error" not in said.err
