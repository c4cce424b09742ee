"""`lightfer benchmark pipeline`: the whole way of a frame in a process of its own, watched from outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lightfer_ros.benchmark import pipeline_run
from lightfer_ros.benchmark.pipeline_run import measure
from lightfer_ros.cli.main import main
from lightfer_ros.model import manifest

pytest.importorskip("onnxruntime")

FRAMES = 25


@pytest.fixture(scope="module")
def video() -> Path:
    for name in ("sample", "shape_predictor_68", "default"):
        if manifest.locate(name) is None:
            pytest.skip(f"{name} is not here: `lightfer fetch`")
    return manifest.find("sample")


def test_ours_and_the_tutorials_way_are_measured_on_the_same_frames(video, tmp_path, capsys):
    page = tmp_path / "page.html"
    arguments = ["--frames", str(FRAMES), "--peers", "haar", "--json", "--html", str(page)]
    assert main(["benchmark", "pipeline", *arguments]) == 0
    said = capsys.readouterr()
    ours, haar = json.loads(said.out)
    assert (ours["name"], haar["name"], haar["detector"]) == ("LightFER", "haar", "haar")
    for row in (ours, haar):
        assert row["error"] is None
        assert row["frames"] == FRAMES
        assert 3.0 <= row["faces"] <= 6.0, "the sample begins with five people"
        assert 0.0 < row["p50_ms"] <= row["p99_ms"]
        mean_ms = 1000.0 / row["fps"]
        assert row["p50_ms"] / 10 < mean_ms < row["p99_ms"] * 2
        assert sum(row["stages_ms"].values()) <= mean_ms * 1.01
        assert 50.0 < row["memory_mb"] < 500.0
        assert row["cpu_ms"] > 0.0 and 0.0 < row["machine_percent"] <= row["cpu_percent"]
        assert (row["power_mw"] is None) == row["power_of"].startswith("not measurable here")
    assert {"decode", "detect", "landmarks", "align", "classify"} <= set(ours["stages_ms"])
    assert ours["memory_mb"] > haar["memory_mb"], "which holds no landmark file"
    assert "power: " in said.err and "LightFER: " in said.err
    assert "<h2>Whole pipeline</h2>" in page.read_text() and "<svg" in page.read_text()


def test_a_peer_that_is_not_installed_is_a_row_that_says_what_to_install(video, tmp_path, monkeypatch):
    (tmp_path / "fer").mkdir()
    (tmp_path / "fer" / "__init__.py").write_text("raise ImportError('no TensorFlow here')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    row = measure("fer", video, "fer", frames=5)
    assert "the package fer cannot be imported (no TensorFlow here): pip install fer" in row.error
    assert row.fps is None and row.power_of == ""


def test_a_setting_that_is_refused_is_a_row(video):
    row = measure("ours", video, settings={"detector": "eyes"})
    assert row.error.startswith("detector is 'eyes', expected one of")


def test_a_file_that_is_no_video_is_a_row(video, tmp_path):
    (tmp_path / "video.mp4").write_text("no video")
    row = measure("ours", tmp_path / "video.mp4")
    assert row.error.endswith("video.mp4: no picture can be read from it")


@pytest.mark.parametrize("moment", ["at once", "while it runs"])
def test_a_process_that_dies_is_a_row_that_says_how(tmp_path, monkeypatch, moment):
    dying = tmp_path / "python"
    ready = "" if moment == "at once" else "print('ready', flush=True); sys.stdin.readline(); "
    complaint = "print('out of memory', file=sys.stderr, flush=True)"
    body = f"sys.stdin.readline(); {ready}{complaint}; os.kill(os.getpid(), 6)"
    dying.write_text(f"#!{sys.executable}\nimport os, sys\n{body}\n")
    dying.chmod(0o755)
    monkeypatch.setattr(pipeline_run.sys, "executable", str(dying))
    assert measure("ours", tmp_path).error == "the process ended with signal 6: out of memory"


def test_a_video_that_is_not_there_is_refused_by_name(capsys):
    assert main(["benchmark", "pipeline", "--video", "/nowhere/people.mp4"]) == 2
    assert "--video is /nowhere/people.mp4, which does not exist" in capsys.readouterr().err
