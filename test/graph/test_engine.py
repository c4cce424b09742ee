"""The node while its TensorRT engine is built, loaded, refused; TensorRT is a stand-in, the rest is real."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
from ros_graph import Camera, value

from lightfer_ros.model import manifest

from ..runtimes.fake_process import path_with_stand_ins

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

LONGEST_BUILD_S = 60.0


@pytest.fixture
def machine(environment, tmp_path) -> Iterator[dict[str, str]]:
    """A machine with an Orin's GPU and TensorRT, whose builds wait for the test to open the gate."""
    if manifest.locate("mini_xception") is None:
        pytest.skip("mini_xception is not here: `lightfer fetch`")
    os.mkfifo(tmp_path / "gate")
    environment["PYTHONPATH"] = path_with_stand_ins(tmp_path / "site")
    environment["GATE"] = str(tmp_path / "gate")
    return environment


@pytest.fixture
def node(emotion_node, machine, tmp_path):
    """The emotion node with a model that TensorRT takes, and a cache of its own."""
    model = manifest.find("mini_xception")
    return lambda **more: emotion_node(model=model, engine_cache=tmp_path / "engines", **more)


def open_gate(tmp_path: Path) -> None:
    (tmp_path / "gate").open("w").close()  # returns when the build is there


def engine_files(tmp_path: Path) -> list[str]:
    return sorted(path.suffix for path in (tmp_path / "engines").iterdir())


def engine_says(graph, words: str):
    """Waits for the diagnostics to say this of the engine."""
    about = lambda status: any(pair.key == "engine" for pair in status.values)  # noqa: E731
    return graph.status(
        "perception", lambda status: about(status) and words in value(status, "engine"), LONGEST_BUILD_S
    )


def test_it_works_on_the_cpu_until_the_engine_is_there_and_keeps_everybodys_track(
    graph, node, several_faces, tmp_path
):
    with node() as process:
        camera = Camera(graph)
        camera.wait_for_listener()
        before = graph.answer_to(camera.send(several_faces))
        assert before.runtime == "onnxruntime CPUExecutionProvider"
        assert engine_says(graph, "is being built").level == b"\0"
        open_gate(tmp_path)
        engine_says(graph, "in use")
        after = graph.answer_to(camera.send(several_faces))
        assert after.runtime == "tensorrt NVIDIA Orin"
        assert [e.track_id for e in after.emotions] == [e.track_id for e in before.emotions]
        for one, other in zip(before.emotions, after.emotions):
            np.testing.assert_allclose(one.probabilities, other.probabilities, atol=0.05)
        log = process.log()
    assert "mini_xception gets a TensorRT engine; until it is built it runs in onnxruntime" in log
    assert "mini_xception now runs in tensorrt NVIDIA Orin" in log
    assert engine_files(tmp_path) == [".engine", ".json", ".lock"]


def test_a_node_that_ends_takes_its_build_along_and_the_next_one_builds_again(
    graph, node, one_face, tmp_path
):
    with node() as process:
        engine_says(graph, "TensorRT 10.3.0 builds fp16 for NVIDIA Orin")
        (builder,) = children(process.pid)
    assert not Path(f"/proc/{builder}").exists()
    assert engine_files(tmp_path) == [".lock"]
    with node():
        open_gate(tmp_path)
        engine_says(graph, "in use")


def test_a_build_that_is_killed_is_told_and_the_node_goes_on(graph, node, one_face, tmp_path):
    with node() as process:
        camera = Camera(graph)
        camera.wait_for_listener()
        engine_says(graph, "builds fp16")
        (builder,) = children(process.pid)
        os.kill(builder, signal.SIGKILL)
        status = engine_says(graph, "failed")
        assert status.level == b"\1" and "no TensorRT engine" in status.message
        assert graph.answer_to(camera.send(one_face)).runtime == "onnxruntime CPUExecutionProvider"
    assert engine_files(tmp_path) == [".lock"]


def test_an_engine_that_answers_otherwise_than_the_cpu_is_not_taken(graph, node, one_face, machine, tmp_path):
    machine["WRONG_ANSWERS"] = "yes"
    with node() as process:
        camera = Camera(graph)
        camera.wait_for_listener()
        open_gate(tmp_path)
        assert "differ from the CPU's by" in value(engine_says(graph, "failed"), "engine")
        assert graph.answer_to(camera.send(one_face)).runtime == "onnxruntime CPUExecutionProvider"
        assert "[WARN]" in process.log() and "differ from the CPU's by" in process.log()


def test_without_fallback_a_missing_engine_is_named_with_the_command_that_builds_it(graph, node):
    with node(runtime="tensorrt", allow_fallback=False) as process:
        status = graph.status("perception", lambda status: "cannot be configured" in status.message)
        assert "no engine for this GPU" in status.message and "`lightfer engine build " in status.message
        assert process.poll() is None, "it lives, and can be configured again"


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found
