"""The Fast DDS profile that the launch files set lets raw images through, also with best effort."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: `make setup` brings it")
from rclpy.utilities import get_rmw_implementation_identifier

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "config" / "fastdds.xml"
STREAM = Path(__file__).with_name("raw_stream.py")


def stream(size: str, reliability: str, environment: Dict[str, str]) -> Dict[str, Any]:
    """Send raw images from one process to another; return what the listener counted."""
    command = [sys.executable, str(STREAM)]
    talker = subprocess.Popen([*command, "talk", size, reliability], env=environment)
    try:
        listener = subprocess.run(
            [*command, "listen", size, reliability], env=environment, stdout=subprocess.PIPE, timeout=90
        )
        return dict(json.loads(listener.stdout))
    finally:
        talker.terminate()
        talker.wait(10)


@pytest.mark.skipif(
    "fastrtps" not in get_rmw_implementation_identifier(), reason="this ROS 2 does not use Fast DDS"
)
def test_best_effort_loses_no_raw_images_with_the_profile() -> None:
    environment = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 99)}
    for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        environment[name] = str(PROFILE)
    counted = stream("640x480", "best_effort", environment)
    assert counted["sent"] >= 150, counted
    # Without the profile about half are lost (docs/fastdds.md).
    assert counted["received"] >= 0.95 * counted["sent"], counted
