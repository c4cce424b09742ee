"""`lightfer engine`: engines built by hand, listed, cleared; TensorRT is a stand-in."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from lightfer_ros.cli.main import main
from lightfer_ros.runtimes import RuntimeOptions, load
from lightfer_ros.runtimes.engine_cache import EngineCache
from lightfer_ros.runtimes.tensorrt_engine import build_engine

from ..runtimes.conftest import FakeNvidia, TinyNetwork
from ..runtimes.fake_process import VERSION, path_with_stand_ins

pytest.importorskip("onnxruntime")


@pytest.fixture
def nvidia(monkeypatch):
    return FakeNvidia(monkeypatch)


@pytest.fixture
def model(tmp_path):
    return TinyNetwork().save_as("onnx", "fp32", tmp_path)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "engines"


def engine(*arguments: str) -> int:
    return main(["engine", *arguments])


def test_an_engine_built_by_hand_is_listed_as_fitting_and_is_used(
    nvidia, model, cache, tmp_path, monkeypatch, capsys
):
    nvidia.install(VERSION)
    monkeypatch.setenv("PYTHONPATH", path_with_stand_ins(tmp_path / "site"))
    assert engine("build", str(model), f"--engine-cache={cache}", "--max-batch=4") == 0
    said = capsys.readouterr()
    (built,) = cache.glob("*.engine")
    assert said.out.strip() == str(built)
    assert engine("list", f"--engine-cache={cache}", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["model"], listed["state"], listed["precision"]) == ("tiny", "fits", "fp16")
    assert (listed["shapes"], listed["gpu"], listed["size"]) == (
        "4x16x16x1",
        "NVIDIA Orin",
        built.stat().st_size,
    )
    options = RuntimeOptions("tensorrt", allow_fallback=False, max_batch=4, engine_cache=cache)
    with load(model, options) as session:
        assert session.runtime == "tensorrt"


def test_a_build_that_fails_says_why(nvidia, model, cache, tmp_path, monkeypatch, capsys):
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.8 is missing')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert engine("build", str(model), f"--engine-cache={cache}") == 1
    assert "lightfer: tensorrt cannot be imported" in capsys.readouterr().err


def test_a_model_that_is_missing_is_an_error_of_usage_as_in_every_command(cache, tmp_path, capsys):
    assert engine("build", str(tmp_path / "net.onnx"), f"--engine-cache={cache}") == 2
    assert "net.onnx does not exist" in capsys.readouterr().err


def test_of_a_network_that_is_int8_for_cpus_the_float_sibling_is_built(
    nvidia, cache, tmp_path, monkeypatch, capsys
):
    nvidia.install(VERSION)
    monkeypatch.setenv("PYTHONPATH", path_with_stand_ins(tmp_path / "site"))
    tiny = TinyNetwork()
    int8 = tiny.save(tmp_path / "tiny-int8.onnx", tiny.onnx(), precision="int8")
    tiny.save(tmp_path / "tiny-fp16.onnx", tiny.onnx(half=True), precision="fp16")
    for _ in ("a first time", "and again when it is there"):
        assert engine("build", str(int8), f"--engine-cache={cache}") == 0
        said = capsys.readouterr()
        assert "tiny-int8.onnx is INT8 for CPUs: building its float sibling" in said.err
        assert said.out.strip() == str(*cache.glob("tiny-fp16-*.engine"))


def test_ctrl_c_ends_command_and_build_at_once_and_leaves_nothing(request, model, cache, tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": path_with_stand_ins(tmp_path / "site"),
        "BUILDING": str(tmp_path / "building"),
    }
    os.mkfifo(tmp_path / "building")
    command = [sys.executable, "-m", "lightfer_ros.cli.main", "engine", "build", str(model)]
    # Who runs tests in the background of a script has SIGINT ignored, and children inherit that.
    process = subprocess.Popen(
        [*command, f"--engine-cache={cache}"],
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    request.addfinalizer(process.kill)
    builder = int((tmp_path / "building").read_text())
    process.send_signal(signal.SIGINT)  # to the command alone: it has to end the build itself
    assert process.wait(10) == 130
    with pytest.raises(ProcessLookupError):
        os.kill(builder, 0)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"tensorrt": "8.2.1"}, "tensorrt is 10.3.0 here"),
        (
            {"gpu": "NVIDIA Tegra X1", "compute_capability": "5.3"},
            "gpu is NVIDIA Orin here; compute_capability",
        ),
    ],
)
def test_an_engine_for_another_machine_is_named_and_cleared_alone(
    nvidia, model, cache, capsys, change, state
):
    nvidia.install(VERSION)
    kept = build_engine(model, RuntimeOptions(engine_cache=cache))
    engines = EngineCache(cache)
    (own,) = engines.entries()
    other = engines.write(replace(own.key, **change), b"engine")
    assert engine("list", f"--engine-cache={cache}") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and sum(state in line for line in lines) == 1
    assert engine("clear", "--unfit", f"--engine-cache={cache}") == 0
    assert not other.exists() and kept.exists()
    assert engine("clear", f"--engine-cache={cache}") == 0
    assert list(cache.iterdir()) == []


def test_an_engine_for_any_gpu_of_the_machine_fits(nvidia, model, cache, capsys):
    nvidia.install(VERSION)
    gpu = nvidia.gpus[-1]
    gpu.count, gpu.others = 2, {1: ("NVIDIA RTX A2000", (8, 6))}
    kept = [build_engine(model, RuntimeOptions(device=index, engine_cache=cache)) for index in (0, 1)]
    other = EngineCache(cache)
    (own, _) = other.entries()
    unfit = other.write(replace(own.key, gpu="NVIDIA Tegra X1", compute_capability="8.6"), b"engine")
    assert engine("list", f"--engine-cache={cache}", "--json") == 0
    states = {listed["gpu"]: listed["state"] for listed in json.loads(capsys.readouterr().out)}
    assert states == {
        "NVIDIA Orin": "fits",
        "NVIDIA RTX A2000": "fits",
        "NVIDIA Tegra X1": "gpu is NVIDIA RTX A2000 here",
    }
    assert engine("clear", "--unfit", f"--engine-cache={cache}") == 0
    assert [path.exists() for path in (*kept, unfit)] == [True, True, False]
    capsys.readouterr()
    assert engine("clear", "--unfit", f"--engine-cache={cache}") == 0
    assert capsys.readouterr().out == f"{cache}: nothing to delete in it\n"


def test_a_folder_that_is_not_there_is_said_and_not_made(cache, capsys):
    assert engine("clear", f"--engine-cache={cache}") == 0
    assert capsys.readouterr().out == f"{cache}: does not exist\n"
    assert not cache.exists()


def test_what_is_damaged_or_half_there_goes_and_what_is_being_built_stays(nvidia, model, cache, capsys):
    nvidia.install(VERSION)
    whole = build_engine(model, RuntimeOptions(engine_cache=cache))
    whole.write_bytes(b"damaged")
    (cache / "killed-0123.engine.partial").write_bytes(b"half")
    with (cache / "busy-4567.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert engine("list", f"--engine-cache={cache}") == 0
        assert "damaged" in capsys.readouterr().out
        assert engine("clear", f"--engine-cache={cache}") == 0
        assert "busy-4567.engine: is being built now, stays" in capsys.readouterr().out
        assert [path.name for path in cache.iterdir()] == ["busy-4567.lock"]


def test_without_a_gpu_nothing_is_called_unfit(nvidia, cache, capsys):
    nvidia.remove()
    assert engine("clear", "--unfit", f"--engine-cache={cache}") == 2
    assert "nobody can tell which engines fit" in capsys.readouterr().err
    assert engine("list", f"--engine-cache={cache}") == 0
    assert f"none in {cache}" in capsys.readouterr().out
