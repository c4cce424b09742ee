"""`lightfer benchmark pipeline`: the whole way of a frame in a process of its own, watched from outside."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from lightfer_ros.benchmark import pipeline, pipeline_run
from lightfer_ros.benchmark.pipeline_run import PipelineRow, measure
from lightfer_ros.benchmark.power import PowerWatch
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


def test_tensorrt_is_given_the_float_file_of_an_int8_model_and_others_the_very_file(
    video, capsys, monkeypatch
):
    asked = {}

    def note(name, video, way, settings, frames):
        asked[settings["engine"]] = Path(settings["model"]).name
        return PipelineRow(name)

    monkeypatch.setattr(pipeline, "measure", note)
    int8 = manifest.find("default")
    arguments = ["--model", str(int8), "--runtime", "tensorrt", "onnxruntime", "--no-build", "--peers"]
    assert main(["benchmark", "pipeline", *arguments, "--no-html", "--json"]) == 0
    assert asked == {"tensorrt": int8.name.replace("int8", "fp16"), "onnxruntime": int8.name}


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


@pytest.fixture
def process_that(tmp_path, monkeypatch):
    """Puts a script of the test's in the place of the process that measures."""

    def install(moment: str, does: str) -> None:
        ready = "" if moment == "at once" else "print('ready', flush=True); sys.stdin.readline(); "
        script = tmp_path / "python"
        script.write_text(
            f"#!{sys.executable}\nimport os, signal, sys\nsys.stdin.readline(); {ready}{does}\n"
        )
        script.chmod(0o755)
        monkeypatch.setattr(pipeline_run.sys, "executable", str(script))

    return install


@pytest.mark.parametrize("moment", ["at once", "while it runs"])
def test_a_process_that_dies_is_a_row_that_says_how(tmp_path, process_that, moment):
    complaint = "print('out of memory', file=sys.stderr, flush=True)"
    process_that(moment, f"{complaint}; os.kill(os.getpid(), 6)")
    assert measure("ours", tmp_path).error == "the process ended with signal 6: out of memory"


@pytest.mark.parametrize("moment", ["at once", "while it runs"])
def test_a_process_that_hangs_is_ended_and_is_a_row_that_says_so(tmp_path, process_that, monkeypatch, moment):
    if moment == "at once":
        monkeypatch.setattr(pipeline_run, "LONGEST_START_S", 0.2)
    else:
        monkeypatch.setattr(pipeline_run, "longest_run_s", lambda asked: 0.2)
    process_that(moment, "signal.pause()")
    assert measure("ours", tmp_path).error == "no word within 0.2 s: the process hangs"


def test_a_long_video_has_longer(video):
    assert pipeline_run.longest_run_s({"video": str(video), "frames": 0}) > pipeline_run.longest_run_s(
        {"video": str(video), "frames": FRAMES}
    )
    assert pipeline_run.longest_run_s({"video": "/nowhere", "frames": 0}) > 24 * 3600.0


def test_a_process_that_says_no_json_is_a_row_with_what_it_said(tmp_path, process_that):
    process_that("while it runs", "print('done', flush=True); signal.pause()")
    assert measure("ours", tmp_path).error == "the process said 'done', expected a JSON object"


def test_power_that_cannot_be_watched_leaves_the_rest_of_the_row(tmp_path, process_that, monkeypatch):
    tegrastats = tmp_path / "tegrastats"
    tegrastats.write_bytes(b"\x7fELF of another machine")
    tegrastats.chmod(0o755)
    monkeypatch.setattr(pipeline_run, "PowerWatch", lambda: PowerWatch(tmp_path, str(tegrastats)))
    told = json.dumps({"fps": 30.0, "cpu_percent": 50.0, "memory_mb": 100.0})
    process_that("while it runs", f"print('{told}', flush=True); sys.stdin.read()")
    row = measure("ours", tmp_path)
    assert (row.error, row.fps, row.power_mw) == (None, 30.0, None)
    assert row.power_of.startswith("not measured to the end: tegrastats: cannot be run")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--video", "/nowhere/people.mp4"], "--video is /nowhere/people.mp4, expected a file that exists"),
        (["--runtime", "caffe"], "--runtime is 'caffe', expected one of auto, tensorrt, onnxruntime"),
        (["--detector", "haar"], "--detector is 'haar', expected one of auto, dlib_hog, yunet"),
        (["--threads", "0"], "--threads is 0, expected 1 to 16"),
        (["--model", "nobody"], "'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(capsys, arguments, said):
    assert main(["benchmark", "pipeline", *arguments]) == 2
    assert said in capsys.readouterr().err
