"""`lightfer benchmark ratios`: each network beside the one in use, with the cause of its difference."""

from __future__ import annotations

import json

import pytest

from lightfer_ros.benchmark import ratios
from lightfer_ros.benchmark.cells import Row
from lightfer_ros.benchmark.ratios import summarize
from lightfer_ros.cli.main import main

from ..runtimes.conftest import TinyNetwork

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


def row(p50_ms: float | None = None, cpu_ms: float | None = None, error: str | None = None) -> Row:
    return Row("onnxruntime", "fp32", 1, 1, 1.0, p50_ms=p50_ms, cpu_ms=cpu_ms, peak_rss_mb=60.0, error=error)


def test_a_ratio_is_taken_within_each_round_so_that_a_busy_round_spoils_nothing():
    # the second round is three times as slow for both
    measured = {
        "int8": [row(1.0, 1.0), row(3.0, 1.0), row(1.0, 1.0)],
        "float": [row(2.0, 3.0), row(6.0, 3.0), row(2.2, 3.0)],
    }
    first, second = summarize({"int8": "the file in use", "float": "quantization"}, measured)
    assert (first.times, first.cpu_times) == (1.0, 1.0)
    assert (second.times, second.cpu_times, second.p50_ms) == (2.0, 3.0, 2.2)
    assert second.cause == "quantization"


def test_a_network_that_fails_once_has_its_reason_and_no_ratio():
    measured = {"int8": [row(1.0, 1.0)] * 2, "keras": [row(9.0, 9.0), row(error="no module named keras")]}
    _, keras = summarize({"int8": "", "keras": ""}, measured)
    assert (keras.times, keras.error) == (None, "no module named keras")


def test_the_float_file_of_the_same_network_is_measured_beside_the_int8_one(tmp_path, capsys, monkeypatch):
    tiny = TinyNetwork()
    for precision in ("fp32", "int8"):
        file = tmp_path / f"tiny-{precision}.onnx"
        tiny.save_as("onnx", precision, tmp_path).rename(file)
        tiny.save(file, precision=precision)
    small = tmp_path / "tiny-fp32.onnx"
    monkeypatch.setattr(ratios, "unpruned_file", lambda _: small)
    monkeypatch.setattr(ratios, "model_file", lambda _: small)
    arguments = ["--model", str(small), "--rounds", "2", "--seconds", "0.1", "--json", "--no-html"]
    assert main(["benchmark", "ratios", *arguments]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["name"] == "tiny-int8.onnx in onnxruntime" and rows[0]["times"] == 1.0
    assert rows[1]["name"] == "tiny-fp32.onnx in onnxruntime" and rows[1]["times"] > 0.0
    assert rows[1]["cpu_ms"] > 0.0 and 20.0 < rows[1]["peak_rss_mb"] < 150.0
    assert (
        rows[-1]["name"] == "Keras predict"
        and f"`lightfer export --model {small} --kinds keras" in rows[-1]["error"]
    )
