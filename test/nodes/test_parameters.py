"""Every parameter is declared once; page, descriptors and refusals come from that."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")

from rclpy.parameter import Parameter

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.nodes import parameters
from lightfer_ros.nodes.camera_config import CameraConfig
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.nodes.parameter_page import page
from lightfer_ros.nodes.recorder_config import RecorderConfig
from lightfer_ros.perception.settings import settings_of

PAGE = Path(__file__).parents[2] / "docs" / "parameters.md"


def test_the_page_says_what_the_declarations_say():
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("kind", [NodeConfig, CameraConfig, RecorderConfig])
def test_a_descriptor_has_description_type_and_range(kind):
    for declared in settings_of(kind).values():
        described = parameters.descriptor(declared)
        assert described.description == declared.description
        assert declared.allowed in described.additional_constraints
        assert ("unconfigured" in described.additional_constraints) == (not declared.live)
        ranges = [*described.floating_point_range, *described.integer_range]
        if declared.minimum is not None:
            assert [(r.from_value, r.to_value) for r in ranges] == [(declared.minimum, declared.maximum)]
        else:
            assert not ranges


def test_a_change_is_one_new_snapshot_and_names_what_is_not_live():
    before = NodeConfig()
    changes = [Parameter("max_faces", value=4), Parameter("use_sim_time", value=True)]
    after, fixed = parameters.changed(before, changes)
    assert (after.max_faces, before.max_faces, fixed) == (4, NodeConfig().max_faces, ())
    _, fixed = parameters.changed(
        before, [Parameter("model", value="net.onnx"), Parameter("threads", value=2)]
    )
    assert fixed == ("model",), "setting the value that is there already changes nothing"


def test_a_camera_may_be_given_as_the_number_that_yaml_makes_of_it():
    camera, _ = parameters.changed(CameraConfig(), [Parameter("source", value=0)])
    assert camera.source == "0"


def test_a_whole_number_is_a_fine_value_for_a_float_parameter():
    after, _ = parameters.changed(NodeConfig(), [Parameter("smoothing_time_constant_s", value=1)])
    assert after.smoothing_time_constant_s == 1.0 and isinstance(after.smoothing_time_constant_s, float)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [("max_faces", 0, "1 to 256"), ("detector", "eyes", "dlib_hog"), ("threads", "many", "1 to 16")],
)
def test_a_bad_value_is_refused_by_name_value_and_range(name, value, allowed):
    with pytest.raises(ConfigurationError) as refusal:
        parameters.changed(NodeConfig(), [Parameter(name, value=value)])
    for part in (name, repr(value), allowed):
        assert part in str(refusal.value)
