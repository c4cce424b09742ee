"""`lightfer doctor`: what can run here, what cannot and the cure, and an exit code that says so."""

import json
import sys

import pytest

from lightfer_ros.cli import checks, doctor
from lightfer_ros.cli.checks import Check, State
from lightfer_ros.cli.main import main
from lightfer_ros.model.manifest import locate


def by_name(found):
    return {check.name: check for check in found}


def test_on_a_machine_that_is_set_up_the_node_can_run(capsys):
    if locate("default") is None or locate("shape_predictor_68") is None:
        pytest.skip("the models are not here: `lightfer fetch`")
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["node_can_run"] is True
    states = {check["name"]: check["state"] for check in said["checks"]}
    assert states["ROS 2"] == states["lightfer_msgs"] == states["inference"] == State.OK


def test_without_models_it_cannot_and_each_is_named_with_its_cure(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LIGHTFER_HOME", str(tmp_path))
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out
    assert "MISSING landmarks shape_predictor_68" in lines
    assert "lightfer fetch shape_predictor_68" in lines
    verdict = next(line for line in lines.splitlines() if line.startswith("The node cannot run here: "))
    assert "landmarks shape_predictor_68" in verdict and "yunet" not in verdict


def test_without_a_ros_that_works_it_cannot_and_says_why_and_how_to_get_one(tmp_path, monkeypatch):
    (tmp_path / "rclpy.py").write_text("raise ImportError('librcl.so: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (check,) = checks.ros()
    assert check.stops_the_node and "librcl.so" in check.text and "make setup" in check.cure


def test_the_default_of_fast_dds_is_warned_of_and_our_profile_is_not(tmp_path, monkeypatch):
    for name in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE", "RMW_IMPLEMENTATION"):
        monkeypatch.delenv(name, raising=False)
    assert by_name(checks.ros())["Fast DDS profile"].state == State.WARN
    profile = tmp_path / "fastdds.xml"
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", str(profile))
    assert "does not exist" in by_name(checks.ros())["Fast DDS profile"].text
    profile.touch()
    assert by_name(checks.ros())["Fast DDS profile"].state == State.OK


@pytest.mark.parametrize(
    "installed, warning",
    [
        ({"opencv-python": "4.10", "opencv-python-headless": "4.14"}, "OpenCV twice"),
        ({"onnxruntime": "1.32", "onnxruntime-gpu": "1.31"}, "ONNX Runtime twice"),
    ],
)
def test_two_of_a_kind_that_overwrite_each_other_are_warned_of(installed, warning, monkeypatch):
    monkeypatch.setattr(checks, "_installed", lambda: installed)
    check = by_name(checks.libraries())[warning]
    assert check.state == State.WARN and "pip uninstall" in check.cure
    assert all(name in check.text for name in installed)


def test_libraries_as_they_should_be_give_no_warning():
    assert {check.state for check in checks.libraries()} == {State.OK}


def test_a_runtime_that_is_not_installed_is_a_warning_with_the_reason(monkeypatch):
    if locate("default") is None:
        pytest.skip("the models are not here: `lightfer fetch`")
    monkeypatch.setitem(sys.modules, "tensorrt", None)  # as if it were not installed
    found = by_name(checks.runtimes())
    assert found["runtime tensorrt"].state == State.WARN and "tensorrt" in found["runtime tensorrt"].text
    assert "CPUExecutionProvider" in found["runtime onnxruntime"].text


def test_a_warning_does_not_stop_the_node_and_an_optional_thing_may_be_missing(monkeypatch, capsys):
    found = [Check("camera", State.WARN, "none"), Check("sample", State.MISSING, "none", "fetch it")]
    monkeypatch.setattr(doctor, "examine", lambda: found)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[-1] == "The node can run here; 1 warning."
    assert "        -> fetch it" in said
