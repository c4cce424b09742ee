"""An engine build is a process of its own: watched, interrupted, and its engine taken when it is there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lightfer_ros.runtimes import RuntimeOptions, load
from lightfer_ros.runtimes.engine_build import EngineBuild, main
from lightfer_ros.runtimes.tensorrt_engine import build_engine, engine_wanted

from .fake_process import VERSION, path_with_stand_ins


@pytest.fixture
def model(tiny, tmp_path):
    return tiny.save_as("onnx", "fp32", tmp_path)


@pytest.fixture
def options(tmp_path):
    return RuntimeOptions(engine_cache=tmp_path / "engines")


@pytest.fixture
def stand_ins(tmp_path, monkeypatch):
    """Builder processes find the stand-ins."""
    monkeypatch.setenv("PYTHONPATH", path_with_stand_ins(tmp_path / "site"))


def test_a_model_runs_on_the_cpu_until_its_engine_is_there_and_then_on_the_gpu(
    nvidia, stand_ins, model, options, tiny
):
    nvidia.install(VERSION)
    batch = tiny.crops(3)
    with load(model, options) as meanwhile:
        assert meanwhile.runtime == "onnxruntime" and engine_wanted(model, options)
        build = EngineBuild(model, options)
        np.testing.assert_allclose(meanwhile.run(batch), tiny.answer(batch), atol=1e-4)
        assert build.poll(wait_s=60) is True, build.progress
        assert Path(build.progress).suffix == ".engine" and not engine_wanted(model, options)
        with load(model, options) as session:
            assert session.runtime == "tensorrt"
            np.testing.assert_allclose(session.run(batch), meanwhile.run(batch), atol=1e-4)


def test_a_build_that_fails_gives_its_reason(model, options, tmp_path, monkeypatch):
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.8 is missing')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    build = EngineBuild(model, options)
    assert build.poll(wait_s=60) is False
    assert "tensorrt cannot be imported (ImportError: libnvinfer.so.8 is missing)" in build.progress
    build.cancel()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_ends_at_once_and_leaves_nothing(
    request, nvidia, stand_ins, model, options, tmp_path, monkeypatch, how
):
    monkeypatch.setenv("BUILDING", str(tmp_path / "building"))
    os.mkfifo(tmp_path / "building")
    command = [sys.executable, "-m", "lightfer_ros.runtimes.engine_build", str(model)]
    builder = subprocess.Popen(
        [*command, f"--engine-cache={options.engine_cache}"], stdout=subprocess.DEVNULL
    )
    request.addfinalizer(builder.kill)
    assert (tmp_path / "building").read_text() == str(builder.pid)
    builder.send_signal(how)
    assert builder.wait(5) == -how
    assert [path.suffix for path in options.engine_cache.iterdir()] == [".lock"]
    nvidia.install(VERSION)
    build_engine(model, options)
    assert not engine_wanted(model, options), "what an interrupted build leaves is not in the next one's way"


def test_a_cancelled_build_is_over_when_cancel_returns(stand_ins, model, options, tmp_path, monkeypatch):
    monkeypatch.setenv("BUILDING", str(tmp_path / "building"))
    os.mkfifo(tmp_path / "building")
    build = EngineBuild(model, options)
    assert (tmp_path / "building").read_text()
    assert build.poll() is None
    build.cancel()
    assert build.poll() is False
    build.cancel()


def test_by_hand_it_prints_the_engines_path_or_the_reason(nvidia, model, options, capsys, monkeypatch):
    monkeypatch.setattr("os.nice", lambda _: 0)  # this is the tests' own process
    nvidia.install(VERSION)
    arguments = [str(model), f"--engine-cache={options.engine_cache}"]
    assert main(arguments) == 0
    (engine,) = options.engine_cache.glob("tiny-*.engine")
    assert capsys.readouterr().out.strip() == str(engine)
    assert main([*arguments, "--max-batch=0"]) == 1
    assert capsys.readouterr().err.strip() == "max_batch is 0, expected a whole number from 1 to 256"
