"""The launch files explain themselves, start the real nodes and end them cleanly."""

from __future__ import annotations

import ast
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path
from shutil import which
from typing import Any, Callable, Dict, Iterator, List

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = ("nano", "desktop", "rviz")
START_S = 30.0
DOMAIN = 1 + os.getpid() % 99


def declared_arguments(name: str) -> Dict[str, str]:
    """Name and description of each argument that a launch file declares itself, read from its source."""
    tree = ast.parse((ROOT / "launch" / f"{name}.launch.py").read_text(encoding="utf-8"))
    arguments = {}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "DeclareLaunchArgument":
            described = [keyword.value for keyword in call.keywords if keyword.arg == "description"]
            arguments[ast.literal_eval(call.args[0])] = ast.literal_eval(described[0]) if described else ""
    return arguments


@pytest.mark.parametrize("name", FILES)
def test_every_argument_is_described_and_on_the_documentation_page(name: str) -> None:
    page = (ROOT / "docs" / "launch.md").read_text(encoding="utf-8")
    arguments = declared_arguments(name)
    assert arguments
    for argument, description in arguments.items():
        assert description.endswith("."), f"{name}.launch.py: {argument} has no description"
        assert f"| `{argument}` |" in page, f"docs/launch.md lacks {argument} of {name}.launch.py"


# --- With the real launch system ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def share() -> Path:
    """Where the package is installed, for a machine that has ROS's launch system."""
    # The folder launch/ makes `import launch` succeed without it.
    pytest.importorskip("launch.actions", reason="needs ROS's launch system, which no wheel brings")
    pytest.importorskip("launch_ros.actions", reason="needs launch_ros, which no wheel brings")
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    try:
        return Path(get_package_share_directory("lightfer_ros"))
    except PackageNotFoundError:
        pytest.skip("lightfer_ros is not installed: `make ros` and source install/setup.bash")


def description_of(share: Path, name: str) -> Any:
    from launch.launch_description_sources import get_launch_description_from_python_launch_file

    return get_launch_description_from_python_launch_file(str(share / "launch" / f"{name}.launch.py"))


def test_the_nano_has_all_arguments_of_the_desktop_and_its_own_defaults(share: Path) -> None:
    def defaults(name: str) -> Dict[str, str]:
        arguments = description_of(share, name).get_launch_arguments()
        return {a.name: "".join(part.text for part in a.default_value) for a in arguments}

    nano, desktop = defaults("nano"), defaults("desktop")
    assert set(nano) == set(desktop)
    assert {name for name in nano if nano[name] != desktop[name]} == {"source", "params_file"}
    assert "nvarguscamerasrc" in nano["source"]
    assert Path(nano["params_file"]).is_file()


def test_a_fast_dds_profile_of_the_users_own_is_left_alone(
    share: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from launch.actions import SetEnvironmentVariable

    def profiles() -> List[str]:
        entities = description_of(share, "nano").entities
        return [e.value[0].text for e in entities if isinstance(e, SetEnvironmentVariable)]

    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    (ours,) = profiles()
    assert Path(ours).is_file()
    for name in names:
        monkeypatch.setenv(name, "/theirs.xml")
        assert profiles() == []
        monkeypatch.delenv(name)


class Launched:
    """`ros2 launch` as a user runs it; what it prints can be waited for."""

    def __init__(self, environment: Dict[str, str], folder: Path, *arguments: str) -> None:
        # A shell that starts it in the background would make it deaf to SIGINT.
        self.process = subprocess.Popen(
            ["ros2", "launch", "lightfer_ros", *arguments],
            env=environment,
            cwd=str(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        self.output = ""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, text: str) -> None:
        """Return when the output holds the text; fail with all of it after half a minute."""
        with self._news:
            if not self._news.wait_for(lambda: text in self.output, START_S):
                pytest.fail(f"{text!r} was not printed:\n{self.output}")

    def interrupt(self) -> int:
        """Press ctrl-c; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(15)
        self._reader.join(5)
        return code

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with self._news:
                self.output += line
                self._news.notify_all()


@pytest.fixture
def launch(share: Path, tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Start a launch file with arguments, in a DDS domain of the test's own."""
    if which("ros2") is None:
        pytest.skip("needs the command ros2")
    environment = {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN), "ROS_LOG_DIR": str(tmp_path)}
    started: List[Launched] = []

    def start(*arguments: str) -> Launched:
        started.append(Launched(environment, tmp_path, *arguments))
        return started[-1]

    yield start
    for launched in started:
        if launched.process.poll() is None:
            launched.interrupt()


@pytest.fixture
def node() -> Iterator[Any]:
    """A node of the test's own in the same DDS domain, spun in a thread."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    context.init(domain_id=DOMAIN)
    made = rclpy.create_node("test", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(made)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield made
    executor.shutdown()
    thread.join(5)
    made.destroy_node()
    context.try_shutdown()


def test_the_nano_plays_perceives_and_records_in_a_namespace_and_ends_cleanly(
    launch: Callable[..., Launched], node: Any, tmp_path: Path
) -> None:
    from diagnostic_msgs.msg import DiagnosticArray
    from rcl_interfaces.srv import GetParameters

    from lightfer_msgs.msg import EmotionArray

    heard: queue.Queue[EmotionArray] = queue.Queue()
    diagnosed: queue.Queue[DiagnosticArray] = queue.Queue()
    node.create_subscription(EmotionArray, "/robot/emotions", heard.put, 10)
    node.create_subscription(DiagnosticArray, "/diagnostics", diagnosed.put, 10)
    bag = tmp_path / "bag"
    launched = launch(
        "nano.launch.py", f"source:={sample()}", "record:=true", f"bag:={bag}", "namespace:=robot"
    )
    launched.wait_for("looking at /robot/image")
    assert heard.get(timeout=START_S).image_width == 640

    client = node.create_client(GetParameters, "/robot/emotion_node/get_parameters")
    assert client.wait_for_service(START_S)
    interval = client.call(GetParameters.Request(names=["detection_interval_s"])).values[0].double_value
    nano = yaml.safe_load((ROOT / "config" / "nano.yaml").read_text(encoding="utf-8"))
    assert interval == nano["/**"]["ros__parameters"]["detection_interval_s"]

    while min(node.count_subscribers(topic) for topic in ("/robot/emotions", "/diagnostics")) < 2:
        next_of(diagnosed)  # until the recorder hears both topics as well
    next_of(heard)
    next_of(diagnosed)

    assert launched.interrupt() == 0, launched.output
    assert launched.output.count("process has finished cleanly") == 3, launched.output
    assert "Traceback" not in launched.output
    information = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    counts = {
        topic["topic_metadata"]["name"]: topic["message_count"]
        for topic in information["topics_with_message_count"]
    }
    assert set(counts) == {"/robot/emotions", "/diagnostics"}
    assert min(counts.values()) > 0


def test_a_camera_that_is_there_already_is_heard_and_none_is_started(
    launch: Callable[..., Launched], node: Any
) -> None:
    import cv2
    import numpy as np
    from sensor_msgs.msg import CompressedImage

    from lightfer_msgs.msg import EmotionArray

    heard: queue.Queue[EmotionArray] = queue.Queue()
    node.create_subscription(EmotionArray, "/emotions", heard.put, 10)
    camera = node.create_publisher(CompressedImage, "/front/image_raw/compressed", 1)
    message = CompressedImage(format="jpeg")
    message.header.frame_id = "front_optical"
    message.data.frombytes(cv2.imencode(".jpg", np.zeros((120, 160, 3), np.uint8))[1].tobytes())
    node.create_timer(0.1, lambda: camera.publish(message))

    launched = launch("desktop.launch.py", "image_topic:=/front/image_raw", "image_transport:=compressed")
    launched.wait_for("looking at /front/image_raw/compressed")
    answer = heard.get(timeout=START_S)
    assert (answer.header.frame_id, answer.image_width, answer.emotions) == ("front_optical", 160, [])
    assert launched.interrupt() == 0, launched.output
    assert "camera_node" not in launched.output


def next_of(heard: queue.Queue[Any]) -> Any:
    """The next message to come, those that wait already left out."""
    while not heard.empty():
        heard.get_nowait()
    return heard.get(timeout=START_S)


def sample() -> str:
    """The sample video's path."""
    from lightfer_ros.errors import ModelError
    from lightfer_ros.model import manifest

    try:
        return str(manifest.find("sample"))
    except ModelError as error:
        pytest.skip(str(error))
