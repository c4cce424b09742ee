"""The worker takes an engine only where it is the better one; GPU and TensorRT are stand-ins."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")
pytest.importorskip("onnxruntime")

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.nodes import engine_upgrade
from lightfer_ros.nodes.config import NodeConfig
from lightfer_ros.nodes.engine_upgrade import EngineUpgrade
from lightfer_ros.nodes.worker import Worker
from lightfer_ros.runtimes import RuntimeOptions, load
from lightfer_ros.runtimes.options import default_engine_cache
from lightfer_ros.runtimes.tensorrt_engine import build_engine

from ..runtimes.conftest import FakeNvidia, TinyNetwork


class Pipeline:
    """As much of the pipeline as an exchange needs."""

    def __init__(self, session) -> None:
        self.session = session

    def exchange_session(self, session) -> None:
        self.session.close()
        self.session = session

    def close(self) -> None:
        self.session.close()


class Node:
    """As much of a node: its log goes to Python's, its timer is called by the test."""

    def __init__(self) -> None:
        self.look = lambda: None

    def create_timer(self, period, callback, clock):
        self.look = callback
        return SimpleNamespace(cancel=lambda: None)

    def destroy_timer(self, timer) -> None:
        pass

    def get_logger(self):
        return logging.getLogger("node")


@pytest.fixture
def files(tmp_path):
    """The same network in INT8 and in float."""
    tiny = TinyNetwork()
    int8 = tiny.save_as("onnx", "int8", tmp_path).rename(tmp_path / "tiny-int8.onnx")
    tiny.save(int8, precision="int8")
    return int8, tiny.save(tmp_path / "tiny-fp32.onnx", tiny.onnx())


@pytest.mark.parametrize(
    ("at_work", "engine_ms", "taken"),
    [
        ("tiny-fp32", 9.0, True),  # the same file: the order of the engines decides
        ("tiny-int8", 0.5, True),  # the float sibling of the file at work: it must be faster
        ("tiny-int8", 2.0, False),
    ],
)
def test_an_engine_of_another_file_is_taken_only_where_it_is_faster(
    files, tmp_path, monkeypatch, at_work, engine_ms, taken
):
    FakeNvidia(monkeypatch).install("10.3.0")
    options = RuntimeOptions(engine_cache=tmp_path / "engines")
    built = build_engine(files[1], options)
    done = SimpleNamespace(poll=lambda: True, progress=str(built), cancel=lambda: None)
    monkeypatch.setattr(engine_upgrade, "EngineBuild", lambda file, options: done)
    monkeypatch.setattr(engine_upgrade, "seconds_a_face", lambda sessions: [1e-3, 1e-3 * engine_ms])
    given = tmp_path / f"{at_work}.onnx"
    cpu = RuntimeOptions("onnxruntime", allow_fallback=False)
    worker = Worker(lambda: Pipeline(load(given, cpu)), lambda pipeline, image: None)
    pipeline = worker.start().result(20)
    pipeline.session.options = options
    node, adopted = Node(), []
    upgrade = EngineUpgrade(node, worker, files[1], pipeline.session, adopted.append)
    assert upgrade.state.startswith("is being built")
    node.look()
    runtime = worker.call(lambda pipeline: pipeline.session.runtime).result(20)
    assert (runtime == "tensorrt") == taken == bool(adopted)
    if taken:
        assert (upgrade.state, upgrade.failure) == ("in use", "")
    else:
        assert upgrade.failure == "it takes 2.00 ms a face, tiny-int8 in onnxruntime takes 1.00"
    upgrade.close()
    assert worker.stop(10)


def test_the_parameters_of_engines_are_the_runtimes_options():
    config = NodeConfig(
        providers=" CUDAExecutionProvider, CPUExecutionProvider,", allow_fallback=False, threads=3
    )
    options = config.runtime_options
    assert options.providers == ("CUDAExecutionProvider", "CPUExecutionProvider")
    assert (options.allow_fallback, options.threads) == (False, 2)
    assert options.engine_cache == default_engine_cache()
    assert NodeConfig().runtime_options == RuntimeOptions()
    with pytest.raises(ConfigurationError, match="engine_precision is 'int8', expected one of fp32, fp16"):
        NodeConfig(engine_precision="int8")
