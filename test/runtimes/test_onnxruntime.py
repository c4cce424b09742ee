"""ONNX Runtime's own ways: layouts, batches, files that are not classifiers, silent fall-back."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import helper

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.runtimes import RuntimeOptions, load
from lightfer_ros.runtimes.onnxruntime import CUDA, TENSORRT

from .tiny_onnx import serialized

ONLY = RuntimeOptions(runtime="onnxruntime", allow_fallback=False)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_callers_give_nhwc_whatever_the_layout_of_the_file(tiny, tmp_path, layout, channels):
    content = tiny.onnx(channels, layout=layout)
    path = tiny.save(tmp_path / "tiny.onnx", content, layout=layout, channels=channels)
    batch = tiny.crops(5, channels)
    with load(path, ONLY) as session:
        np.testing.assert_allclose(session.run(batch), tiny.answer(batch), atol=1e-4)


def test_a_file_with_one_crop_a_call_takes_batches_one_by_one(tiny, tmp_path):
    path, batch = tiny.save(tmp_path / "tiny.onnx", tiny.onnx(batch=1)), tiny.crops(5)
    with load(path, ONLY) as session:
        np.testing.assert_allclose(session.run(batch), tiny.answer(batch), atol=1e-4)


def test_a_file_with_another_fixed_batch_is_refused(tiny, tmp_path):
    with pytest.raises(ModelError, match="batch is fixed at 4, expected any or 1"):
        load(tiny.save(tmp_path / "tiny.onnx", tiny.onnx(batch=4)), ONLY)


def test_a_network_that_is_no_classifier_of_one_crop_is_refused_with_its_ends(tiny, tmp_path):
    path, crop = tmp_path / "other.onnx", ["n", 16, 16, 1]
    two = serialized([helper.make_node("Add", ["a", "b"], ["c"])], {"a": crop, "b": crop}, {"c": crop}, {})
    with pytest.raises(ModelError, match="2 inputs and 1 outputs, expected one of each"):
        load(tiny.save(path, two), ONLY)
    flat = serialized([helper.make_node("Flatten", ["a"], ["b"])], {"a": crop}, {"b": ["n", 256]}, {})
    with pytest.raises(ModelError, match=r"output is tensor\(float\) \['n', 256\].*\['n', 7\]"):
        load(tiny.save(path, flat), ONLY)


def test_probabilities_that_are_not_finite_never_reach_the_caller(tiny, tmp_path):
    nodes = [
        helper.make_node("GlobalAveragePool", ["a"], ["mean"]),  # nhwc read as nchw: any [n, 7] will do here
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "zeros"], ["b"]),
        helper.make_node("Div", ["b", "b"], ["c"]),
    ]
    zeros = {"zeros": np.zeros((16, 7), np.float32)}
    content = serialized(nodes, {"a": ["n", 16, 16, 1]}, {"c": ["n", 7]}, zeros)
    with pytest.raises(RuntimeUnavailableError, match="probabilities that are not finite"):
        load(tiny.save(tmp_path / "nan.onnx", content), ONLY)


def test_a_provider_that_onnx_runtime_drops_in_silence_is_passed_over_aloud(tiny, tmp_path, monkeypatch):
    if CUDA in onnxruntime.get_available_providers():
        pytest.skip("this machine may have what the test pretends")
    # claimed, but not in this wheel: ONNX Runtime warns at most, and runs on the CPU
    monkeypatch.setattr(
        "lightfer_ros.runtimes.onnxruntime.onnxruntime.get_available_providers",
        lambda: [CUDA, "CPUExecutionProvider"],
    )
    options = RuntimeOptions(runtime="onnxruntime", providers=(CUDA,))
    with load(tiny.save_as("onnx", "fp32", tmp_path), options) as session:
        assert session.provider == "CPUExecutionProvider"
        assert CUDA in dict(session.passed_over)[f"onnxruntime {CUDA}"]


def test_a_session_that_runs_elsewhere_than_asked_is_refused(tiny, tmp_path, monkeypatch):
    real = onnxruntime.InferenceSession
    monkeypatch.setattr(
        "lightfer_ros.runtimes.onnxruntime.onnxruntime.InferenceSession",
        lambda model, *_, **__: real(model, providers=["CPUExecutionProvider"]),
    )
    monkeypatch.setattr(
        "lightfer_ros.runtimes.onnxruntime.onnxruntime.get_available_providers", lambda: [CUDA]
    )
    with pytest.raises(RuntimeUnavailableError, match=f"{CUDA} was refused; .* run on CPUExecutionProvider"):
        load(tiny.save_as("onnx", "fp32", tmp_path), ONLY)


def test_tensorrt_inside_onnx_runtime_gets_a_profile_and_a_cache_for_this_model_alone(
    tiny, tmp_path, monkeypatch
):
    """Its session is recorded, not run: no provider of that name is here."""
    path, real, asked = tiny.save_as("onnx", "fp32", tmp_path), onnxruntime.InferenceSession, []

    def session(model, settings, providers):
        if providers != ["CPUExecutionProvider"]:
            asked.extend(providers)
            raise RuntimeError("recorded")
        return real(model, settings, providers=providers)

    monkeypatch.setattr("lightfer_ros.runtimes.onnxruntime.onnxruntime.InferenceSession", session)
    monkeypatch.setattr(
        "lightfer_ros.runtimes.onnxruntime.onnxruntime.get_available_providers",
        lambda: [TENSORRT, CUDA, "CPUExecutionProvider"],
    )
    options = RuntimeOptions(
        "onnxruntime", (TENSORRT,), max_batch=8, device=1, engine_cache=tmp_path / "e", allow_fallback=False
    )
    with pytest.raises(RuntimeUnavailableError, match=f"on {TENSORRT} \\(recorded\\)"):
        load(path, options)
    (name, given), (second, _) = asked
    assert (name, second) == (TENSORRT, CUDA), "CUDA takes what TensorRT cannot"
    assert (given["trt_profile_min_shapes"], given["trt_profile_max_shapes"]) == (
        "crops:1x16x16x1",
        "crops:8x16x16x1",
    )
    assert given["device_id"] == 1 and given["trt_fp16_enable"]
    assert given["trt_engine_cache_path"].startswith(str(tmp_path / "e" / "onnxruntime" / "tiny-"))


def test_auto_never_starts_an_engine_build_inside_load(monkeypatch, tiny, tmp_path):
    from lightfer_ros.runtimes.onnxruntime import OnnxRuntimeSession

    monkeypatch.setattr(
        "lightfer_ros.runtimes.onnxruntime.onnxruntime.get_available_providers",
        lambda: [TENSORRT, CUDA, "AzureExecutionProvider", "CPUExecutionProvider"],
    )
    with load(tiny.save_as("onnx", "fp32", tmp_path), ONLY) as session:
        offered = OnnxRuntimeSession.providers(session.metadata, ONLY)
    assert offered == (CUDA, "CPUExecutionProvider"), "and nothing that sends faces to a server"


def test_buffers_that_are_kept_give_the_same_answers_and_leave_them_to_the_caller(
    tiny, tmp_path, monkeypatch
):
    """On a CPU, where ONNX Runtime has the same calls: no provider with memory of its own is here."""
    monkeypatch.setattr("lightfer_ros.runtimes.onnxruntime._DEVICES", {"CPUExecutionProvider": "cpu"})
    with load(tiny.save_as("onnx", "fp32", tmp_path), ONLY) as session:
        kept = {count: session.run(tiny.crops(count)) for count in (1, 7, 1, 40)}
        for count, answer in kept.items():
            np.testing.assert_allclose(answer, tiny.answer(tiny.crops(count)), atol=1e-4)
        assert session._buffers._kept.keys() == {1, 7, 16, 8}, "40 go as 16, 16 and 8"
