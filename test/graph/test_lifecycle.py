"""The node's life: walked through and back, failed and tried again, ended at any moment."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy.lifecycle", reason="this ROS has no lifecycle in rclpy")

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.parameter import Parameter
from ros_graph import Camera, value

from lightfer_ros.model import manifest


def change(graph, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    name = f"{graph.namespace}/emotion_node/change_state"
    return bool(graph.call(ChangeState, name, request).success)


def state(graph) -> str:
    name = f"{graph.namespace}/emotion_node/get_state"
    return str(graph.call(GetState, name, GetState.Request()).current_state.label)


def set_parameters(graph, **values):
    request = SetParameters.Request(
        parameters=[Parameter(n, value=v).to_parameter_msg() for n, v in values.items()]
    )
    return graph.call(SetParameters, f"{graph.namespace}/emotion_node/set_parameters", request).results


def test_it_is_walked_through_its_states_and_back(graph, emotion_node, one_face):
    with emotion_node(autostart=False):
        assert state(graph) == "unconfigured"
        status = graph.status("perception", lambda s: True)
        assert "unconfigured" in status.message and status.level == status.OK
        for _ in range(2):
            assert change(graph, Transition.TRANSITION_CONFIGURE)
            assert state(graph) == "inactive"
            assert change(graph, Transition.TRANSITION_ACTIVATE)
            camera = Camera(graph)
            camera.wait_for_listener()
            assert len(graph.answer_to(camera.send(one_face)).emotions) == 1
            assert change(graph, Transition.TRANSITION_DEACTIVATE)
            graph.wait(lambda: camera.publisher.get_subscription_count() == 0, "the camera is free")  # noqa: B023
            graph.node.destroy_publisher(camera.publisher)
            graph.emotions.clear()
            assert change(graph, Transition.TRANSITION_CLEANUP)
            assert state(graph) == "unconfigured"
            graph.wait(lambda: graph.node.count_publishers("emotions") == 0, "emotions left the graph")


MODEL = "mini_xception"
"""A classifier that is fetched, so that its file may be spoiled in a folder of our own."""


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder of assets of the test's own, to spoil."""
    folder = tmp_path / "assets"
    folder.mkdir()
    for name in ("shape_predictor_68", MODEL):
        source = manifest.locate(name)
        if source is None:
            pytest.skip(f"{name} has not been fetched: `lightfer fetch`")
        for file in source.parent.glob(source.name + "*"):
            os.symlink(file, folder / file.name)
    return folder


def _spoil_landmarks_missing(folder: Path) -> str:
    (folder / "shape_predictor_68_face_landmarks.dat").unlink()
    return "lightfer fetch shape_predictor_68"


def _spoil_landmarks_truncated(folder: Path) -> str:
    path = folder / "shape_predictor_68_face_landmarks.dat"
    whole = path.resolve().read_bytes()
    path.unlink()
    path.write_bytes(whole[:1_000_000])
    return "truncated"


def _spoil_model_truncated(folder: Path) -> str:
    whole = _model(folder).resolve().read_bytes()
    _model(folder).unlink()
    _model(folder).write_bytes(whole[:5000])
    return "sha256 "


def _model(folder: Path) -> Path:
    return folder / Path(manifest.find(MODEL)).name


def _spoil_model_missing(folder: Path) -> str:
    _model(folder).unlink()
    return "is missing"


def _spoil_model_without_metadata(folder: Path) -> str:
    _model(folder).with_name(_model(folder).name + ".json").unlink()
    return "cannot be read"


def _spoil_model_other_hash(folder: Path) -> str:
    whole = _model(folder).resolve().read_bytes()
    _model(folder).unlink()
    _model(folder).write_bytes(whole + b"x")
    return "another file"


def _spoil_model_metadata(folder: Path) -> str:
    record = _model(folder).with_name(_model(folder).name + ".json")
    values = json.loads(record.read_text())
    record.unlink()
    record.write_text(json.dumps({**values, "input_size": "64"}))
    return "input_size is '64', expected an integer"


@pytest.mark.parametrize(
    "spoil",
    [
        _spoil_landmarks_missing,
        _spoil_landmarks_truncated,
        _spoil_model_missing,
        _spoil_model_without_metadata,
        _spoil_model_other_hash,
        _spoil_model_truncated,
        _spoil_model_metadata,
    ],
)
def test_a_bad_file_fails_configure_with_a_reason_and_a_good_one_mends_it(
    graph, launch, environment, assets, spoil, tmp_path
):
    environment["LIGHTFER_HOME"] = str(assets)
    backup = tmp_path / "backup"
    shutil.copytree(assets, backup, symlinks=True)
    expected = spoil(assets)
    with launch("emotion_node", autostart=True, model=MODEL) as process:
        status = graph.status("perception", lambda s: s.level == s.ERROR)
        assert expected in status.message
        assert "`lightfer fetch " in status.message, "the cure"
        assert str(assets) in status.message
        assert status.message in process.log()
        assert state(graph) == "unconfigured"
        shutil.rmtree(assets)
        shutil.copytree(backup, assets, symlinks=True)
        assert change(graph, Transition.TRANSITION_CONFIGURE)
        assert change(graph, Transition.TRANSITION_ACTIVATE)


def test_a_model_of_the_wrong_kind_is_refused(graph, emotion_node, tmp_path):
    wrong = tmp_path / "photo.onnx"
    wrong.write_bytes(b"\xff\xd8\xff this is a photo")
    with emotion_node(model=str(wrong)):
        status = graph.status("perception", lambda s: s.level == s.ERROR)
        assert str(wrong) in status.message


def test_parameters_change_while_running_and_bad_values_are_refused_by_name(graph, emotion_node, one_face):
    with emotion_node():
        camera = Camera(graph)
        camera.wait_for_listener()
        assert all(r.successful for r in set_parameters(graph, detector="yunet", smoothing_time_constant_s=1))
        assert len(graph.answer_to(camera.send(one_face)).emotions) == 1
        status = graph.status("perception", lambda s: value(s, "detector") == "yunet")
        assert status.level == status.OK
        for name, bad, allowed in (
            # rclpy refuses what is outside a descriptor's range before it asks the node, in its own words
            ("smoothing_time_constant_s", -1.0, "Min: 0.0, Max: 10.0"),
            ("detection_upsampling", 7, "Min: 0, Max: 2"),
            ("detector", "eyeballs", "dlib_hog"),
            ("detection_scale", "large", "0 to 2"),
        ):
            (result,) = set_parameters(graph, **{name: bad})
            assert not result.successful
            assert name in result.reason and str(bad) in result.reason and allowed in result.reason
        (result,) = set_parameters(graph, model="other.onnx")
        assert not result.successful
        assert "model may change only while the node is unconfigured" in result.reason
        request = GetParameters.Request(names=["detector", "model", "detection_upsampling"])
        answer = graph.call(GetParameters, f"{graph.namespace}/emotion_node/get_parameters", request)
        assert [answer.values[0].string_value, answer.values[1].string_value] == ["yunet", "default"]
        described = graph.call(
            DescribeParameters,
            f"{graph.namespace}/emotion_node/describe_parameters",
            DescribeParameters.Request(names=["detection_upsampling"]),
        ).descriptors[0]
        assert (described.integer_range[0].from_value, described.integer_range[0].to_value) == (0, 2)
        assert described.description


@pytest.mark.parametrize(
    ("name", "bad", "refusal"),
    [
        ("detector", "eyeballs", "'eyeballs', expected one of "),
        ("smoothing_time_constant_s", -1.0, "-1.0, expected 0 to 10"),
        ("threads", 99, "99, expected 1 to 16"),
        ("max_faces", "many", "'many', expected 1 to 256"),
    ],
)
def test_a_bad_parameter_at_the_start_ends_the_node_with_one_line(launch, name, bad, refusal):
    with launch("emotion_node", expect_exit=2, **{name: bad}) as process:
        process.wait(20)
        assert f"error: parameter {name} is {refusal}" in process.log()


def test_simulated_time_drives_the_node(graph, emotion_node, one_face):
    from rosgraph_msgs.msg import Clock

    clock = graph.node.create_publisher(Clock, "/clock", 1)
    message = Clock()
    with emotion_node(use_sim_time=True, input_timeout_s=2.0):
        camera = Camera(graph)
        camera.wait_for_listener()

        def silence() -> str:
            status = graph.diagnostics.get(f"{graph.namespace.lstrip('/')}/emotion_node: input")
            return status.message if status is not None and status.level == status.WARN else ""

        def silent() -> bool:
            message.clock.sec += 1
            clock.publish(message)
            return "no image" in silence()

        graph.answer_to(camera.send(one_face))
        graph.wait(silent, "the node warns of silence in simulated seconds")
        assert message.clock.sec < 10_000
        message.clock.sec = 100_000
        graph.wait(
            lambda: silent() and int(silence().split("for ")[1].split(".")[0]) > 50_000, "a jump ahead"
        )
        graph.answer_to(camera.send(one_face))
        message.clock.sec = 1
        graph.wait(lambda: silent() and "jumped back" in silence(), "a looped bag's jump back is silence too")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["importing", "loading", "running"])
def test_it_ends_within_a_second_at_any_moment(graph, environment, number, moment, tmp_path):
    before = set(os.listdir("/dev/shm"))
    seed = random.Random(f"{number} {moment}")
    output = tmp_path / "log"
    command = [
        sys.executable,
        "-m",
        "lightfer_ros.nodes.emotion_node",
        "--ros-args",
        "-r",
        f"__ns:={graph.namespace}",
    ]
    with output.open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            if moment == "running":
                graph.wait(lambda: "looking at" in output.read_text(), "the node looks")
            else:
                graph.wait(lambda: _handles(process.pid, number), "the node handles signals")
            if moment == "loading":
                graph.wait(lambda: graph.node.count_publishers("/diagnostics") > 0, "the node exists")
            graph.wait(_after(seed.uniform(0.0, 0.3)), "a random while")
            segments = _shared_memory(process.pid) - before
            assert segments or moment == "importing"
            start = time.monotonic()
            process.send_signal(number)
            code = process.wait(5)
            took = time.monotonic() - start
        finally:
            process.kill()
    text = output.read_text()
    assert code == 0, text
    assert "Traceback" not in text
    assert took < 1.0
    assert not segments & set(os.listdir("/dev/shm"))


def _handles(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(caught >> (int(number) - 1) & 1) and b"lightfer" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _shared_memory(pid: int) -> set[str]:
    """Names of the Fast DDS segments that a process has mapped; ports belong to all participants."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"/dev/shm/(fastrtps_[0-9a-f]{16})\b", maps))


def _after(seconds: float):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def test_without_lifecycle_in_rclpy_the_same_node_starts_plain(graph, environment, one_face, tmp_path):
    """ROS 2 Foxy, which the original Nano has, knows no lifecycle in rclpy."""
    program = (
        "import sys; sys.modules['rclpy.lifecycle'] = None\n"
        "from lightfer_ros.nodes.emotion_node import main\n"
        "sys.exit(main())"
    )
    command = [sys.executable, "-c", program, "--ros-args", "-r", f"__ns:={graph.namespace}"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            camera = Camera(graph)
            camera.wait_for_listener()
            assert len(graph.answer_to(camera.send(one_face)).emotions) == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(5) == 0, (tmp_path / "log").read_text()
        finally:
            process.kill()
