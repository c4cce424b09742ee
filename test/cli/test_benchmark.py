"""`lightfer benchmark`: measures a real graph, and prints one JSON object or a table."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from lightfer_ros.cli.benchmark import BENCHMARKS
from lightfer_ros.cli.main import main
from lightfer_ros.model import manifest

ASSETS = ("default", "shape_predictor_68", "photo_single_face", "photo_multi_face")


def lightfer(*arguments: str) -> subprocess.CompletedProcess:
    pytest.importorskip("rclpy", reason="needs ROS 2: `make setup` brings it")
    pytest.importorskip("lightfer_msgs", reason="needs lightfer_msgs: `make setup` builds it")
    missing = [name for name in ASSETS if manifest.locate(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} are not here: `lightfer fetch`")
    command = [sys.executable, "-m", "lightfer_ros.cli.main", "benchmark", *arguments]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(100 + os.getpid() % 100)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def test_the_node_is_measured_with_one_face_and_with_six_on_a_real_graph():
    done = lightfer("ros", "--seconds", "2", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["machine"]["cores"] >= 1 and result["machine"]["processor"]
    assert result["fastdds_profile"].endswith("config/fastdds.xml")
    one, six = result["scenes"]
    for scene, people in ((one, 1), (six, 6)):
        assert scene["people"] == people
        assert max(scene["faces_found"], key=scene["faces_found"].get) == str(people)
        assert sum(scene["faces_found"].values()) == scene["answers"] > 0
        assert scene["answers"] + scene["dropped"] == scene["images"]
        assert 50 <= scene["images"] <= 70  # two seconds at 30 Hz, counted by another process
        assert 0.0 < scene["latency_p50_ms"] <= scene["latency_p99_ms"] <= scene["latency_max_ms"] < 5000.0
        assert 0.0 < scene["cpu_percent"] < 400.0
        assert 100.0 < scene["memory_mb"] <= scene["peak_memory_mb"] < 500.0
        assert scene["stages_ms"]["detect"]["p99"] >= scene["stages_ms"]["detect"]["p50"] > 0.0
        assert "onnxruntime" in scene["runtime"] and scene["detector"] == "yunet"
    assert one["stages_ms"]["follow"]["p50"] < six["stages_ms"]["follow"]["p50"]
    lines = done.stderr.splitlines()  # the table, beside the JSON
    assert any(line.startswith("one face") for line in lines)
    assert any(line.startswith("six faces") for line in lines)


def test_a_node_that_cannot_be_configured_is_told_in_one_line():
    done = lightfer("ros", "--model", "/nowhere/net.onnx")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr and "model file /nowhere/net.onnx does not exist" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("lightfer: emotion_node: cannot be configured")


@pytest.mark.parametrize("seconds", ["0", "-3", "nan"])
def test_too_short_a_time_is_refused(seconds, capsys):
    assert main(["benchmark", "ros", "--seconds", seconds]) == 2
    assert capsys.readouterr().err == f"lightfer: --seconds is {seconds}, expected at least 1\n"


def test_the_help_names_the_benchmarks(capsys):
    with pytest.raises(SystemExit):
        main(["benchmark", "--help"])
    assert "ros" in capsys.readouterr().out


def test_a_benchmark_that_this_python_cannot_load_leaves_the_others_alone(monkeypatch, capsys):
    monkeypatch.setitem(BENCHMARKS, "newer", "needs a newer Python")  # there is no such module
    assert main(["benchmark", "newer"]) == 2
    assert "lightfer: benchmark newer cannot run here: No module named" in capsys.readouterr().err
    assert main(["benchmark", "classifier", "--batch", "0"]) == 2
    assert "--batch is 0" in capsys.readouterr().err
