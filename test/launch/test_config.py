"""What config/ says is known to the nodes it is meant for."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from lightfer_ros.nodes.camera_config import CameraConfig
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.perception.settings import settings_of

CONFIG = Path(__file__).parents[2] / "config"
FULL_HD_BYTES = 1920 * 1080 * 3


@pytest.mark.parametrize("name", ["nano.yaml", "desktop.yaml"])
def test_every_parameter_in_a_file_exists_and_takes_the_value(name: str) -> None:
    (section, content), *others = yaml.safe_load((CONFIG / name).read_text(encoding="utf-8")).items()
    assert section == "/**", "Foxy knows no other wildcard, and nodes may run in any namespace"
    assert not others
    declared = {**settings_of(CameraConfig), **settings_of(NodeConfig)}
    for parameter, value in content["ros__parameters"].items():
        assert parameter in declared, f"{name} sets {parameter}, which no node has"
        assert declared[parameter].check(value) == value


def test_one_file_may_serve_both_nodes() -> None:
    assert not set(settings_of(CameraConfig)) & set(settings_of(NodeConfig)), "a name means two things"


def test_the_shared_memory_segment_holds_full_hd_frames() -> None:
    profile = ElementTree.parse(CONFIG / "fastdds.xml")
    sizes = [int(e.text or 0) for e in profile.iter() if e.tag.endswith("segment_size")]
    assert sizes and min(sizes) > 2 * FULL_HD_BYTES


def test_the_rviz_layout_shows_the_topics_of_the_emotion_node() -> None:
    layout = yaml.safe_load((CONFIG / "lightfer.rviz").read_text(encoding="utf-8"))
    displays = layout["Visualization Manager"]["Displays"]
    topics = {display["Topic"]["Value"] for display in displays if "Topic" in display}
    assert topics == {"/emotions/image", "/emotions/markers"}
    frame = layout["Visualization Manager"]["Global Options"]["Fixed Frame"]
    assert frame == settings_of(CameraConfig)["frame_id"].default
