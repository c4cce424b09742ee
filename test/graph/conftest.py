"""Real nodes in real processes, and a listener and camera of the test's own beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2: `make setup` brings it")
pytest.importorskip("lightfer_msgs", reason="needs lightfer_msgs: `make setup` builds it")

from ros_graph import DOMAIN, Graph, photo


@pytest.fixture
def graph() -> Iterator[Graph]:
    made = Graph(f"/test_{uuid.uuid4().hex[:8]}")
    yield made
    made.close()


@pytest.fixture
def environment(graph: Graph) -> dict[str, str]:
    """What a process needs to meet the test in its own DDS domain."""
    return {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def launch(graph: Graph, environment: dict[str, str], tmp_path: Path) -> Any:
    """Start one of our nodes in the test's namespace; it must end by itself with exit code 0 on SIGINT."""

    @contextmanager
    def start(
        module: str,
        *arguments: str,
        namespace: str = graph.namespace,
        expect_exit: int = 0,
        **parameters: Any,
    ) -> Iterator[Any]:
        command = [sys.executable, "-m", f"lightfer_ros.nodes.{module}", "--ros-args"]
        command += ["-r", f"__ns:={namespace}", *arguments]
        for name, value in parameters.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            command += ["-p", f"{name}:={text}"]
        log = (tmp_path / f"{module}_{uuid.uuid4().hex[:4]}.log").open("w+")
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        process.log = lambda: Path(log.name).read_text()
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                code = process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail(f"{module} did not end on SIGINT:\n{process.log()}")
            output = process.log()
            log.close()
            print(output)
        assert code == expect_exit, output
        assert "Traceback" not in output, output

    return start


@pytest.fixture
def emotion_node(launch: Any) -> Any:
    """Start the emotion node with these parameters; it must live and end cleanly."""

    def start(*arguments: str, **parameters: Any) -> Any:
        return launch("emotion_node", *arguments, **parameters)

    return start


@pytest.fixture(scope="session")
def one_face() -> np.ndarray:
    return photo("photo_single_face")


@pytest.fixture(scope="session")
def several_faces() -> np.ndarray:
    return photo("photo_multi_face", (1000, 667))
