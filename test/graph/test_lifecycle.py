"""The node's life: walked through its states and back, changed while it runs, without lifecycle as well."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from lifecycle import change, state
from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.parameter import Parameter
from ros_graph import Camera, value


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
