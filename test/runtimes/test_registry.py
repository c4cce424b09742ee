"""Which runtime a model gets, and what is said of those it does not get."""

from __future__ import annotations

import dataclasses
import logging
import subprocess
import sys

import numpy as np
import pytest

from lightfer_ros.errors import ConfigurationError, ModelError, RuntimeUnavailableError
from lightfer_ros.runtimes import RuntimeOptions, load, register, runtimes
from lightfer_ros.runtimes.agreement import fixed_input
from lightfer_ros.runtimes.tensorrt_engine import build_engine, engine_wanted

CPU = "CPUExecutionProvider"


@pytest.fixture
def model(tiny, tmp_path):
    return tiny.save_as("onnx", "fp32", tmp_path)


@pytest.fixture
def options(tmp_path):
    """Auto, with a cache of the test's own."""
    return lambda **changes: RuntimeOptions(**{"engine_cache": tmp_path / "engines", **changes})


def test_auto_runs_on_the_cpu_of_a_machine_without_a_gpu_and_says_why_not_elsewhere(model, options, nvidia):
    nvidia.remove()
    with load(model, options()) as session:
        assert (session.runtime, session.provider) == ("onnxruntime", CPU)
        assert ["tensorrt cannot be imported" in reason for _, reason in session.passed_over] == [True]


def test_auto_prefers_an_engine_that_is_there_and_gives_the_answers_of_the_cpu(model, options, nvidia, tiny):
    nvidia.install("10.3.0")
    build_engine(model, options())
    with load(model, options()) as session:
        assert (session.runtime, session.provider) == ("tensorrt", "NVIDIA Orin")
        assert session.passed_over == ()
        np.testing.assert_allclose(session.run(tiny.crops(3)), tiny.answer(tiny.crops(3)), atol=1e-4)


def test_auto_passes_over_an_engine_that_was_not_built_and_names_the_command(model, options, nvidia):
    nvidia.install("10.3.0")
    with load(model, options()) as session:
        assert session.runtime == "onnxruntime"
        assert f"`lightfer engine build {model}`" in dict(session.passed_over)["tensorrt NVIDIA Orin"]


def test_auto_passes_over_an_engine_whose_answers_differ_from_those_of_the_cpu(model, options, nvidia):
    trt = nvidia.install("10.3.0")
    build_engine(model, options())
    trt.faults.wrong_answers = True
    with load(model, options()) as session:
        assert session.runtime == "onnxruntime"
        assert "differ from the CPU's by" in dict(session.passed_over)["tensorrt NVIDIA Orin"]


def an_old_onnxruntime(monkeypatch, times=-1):
    """ONNX Runtime that cannot read newer files, for so many times."""
    from lightfer_ros.runtimes import onnxruntime

    real, left = onnxruntime._open, [times]

    def refuse(path, *rest):
        if not left[0]:
            return real(path, *rest)
        left[0] -= 1
        raise ModelError(f"{path}: ONNX Runtime cannot read it (opset 18)")

    monkeypatch.setattr(onnxruntime, "_open", refuse)


def test_an_engine_is_used_where_the_cpu_cannot_read_the_file_and_is_not_compared(
    model, options, nvidia, monkeypatch, caplog
):
    nvidia.install("10.3.0")
    build_engine(model, options())
    an_old_onnxruntime(monkeypatch)
    with caplog.at_level(logging.INFO), load(model, options()) as session:
        assert session.runtime == "tensorrt"
    assert "tensorrt is not compared with a CPU: " in caplog.text and "(opset 18)" in caplog.text


def test_a_file_that_one_runtime_cannot_read_goes_to_the_next(model, options, nvidia, monkeypatch):
    nvidia.remove()
    (first,) = (runtime for runtime in runtimes() if runtime.name == "onnxruntime")
    register(dataclasses.replace(first, name="newer onnxruntime"))
    an_old_onnxruntime(monkeypatch, times=1)
    with load(model, options()) as session:
        assert "(opset 18)" in dict(session.passed_over)[f"onnxruntime {CPU}"]


def test_a_file_that_no_runtime_can_read_is_named_as_such(model, options, nvidia, monkeypatch):
    nvidia.install("10.3.0")  # which has no engine for it
    an_old_onnxruntime(monkeypatch)
    with pytest.raises(ModelError, match=r"tiny\.onnx: ONNX Runtime cannot read it \(opset 18\)"):
        load(model, options())


def test_a_file_quantized_for_cpus_stays_on_the_cpu_where_a_gpu_is(tiny, options, nvidia, tmp_path):
    nvidia.install("10.3.0")
    with load(tiny.save_as("onnx", "int8", tmp_path), options()) as session:
        assert session.provider == CPU
        assert "zero point 0" in dict(session.passed_over)["tensorrt"]


def test_a_named_runtime_that_cannot_be_used_falls_back_aloud(model, options, nvidia, caplog):
    nvidia.remove()
    with caplog.at_level(logging.WARNING), load(model, options(runtime="tensorrt")) as session:
        assert session.runtime == "onnxruntime"
    assert "tensorrt passed over: tensorrt cannot be imported" in caplog.text


def test_a_named_runtime_that_cannot_be_used_is_an_error_where_fallback_is_forbidden(model, options, nvidia):
    nvidia.remove()
    with pytest.raises(RuntimeUnavailableError, match=r"no runtime can run .*tiny\.onnx.*cannot be imported"):
        load(model, options(runtime="tensorrt", allow_fallback=False))


def test_an_unknown_runtime_is_refused_with_the_known_ones(model, options):
    with pytest.raises(ConfigurationError, match="runtime is 'tensorflow', expected auto, tensorrt, onnxrun"):
        load(model, options(runtime="tensorflow"))


def test_a_named_provider_that_is_not_built_in_is_passed_over_with_those_that_are(model, options, nvidia):
    nvidia.remove()
    with load(model, options(providers=("NopeExecutionProvider", CPU), allow_fallback=False)) as session:
        assert session.provider == CPU
        assert session.passed_over[-1] == ("NopeExecutionProvider", f"not built in here; there are: {CPU}")
    with pytest.raises(
        RuntimeUnavailableError, match=f"NopeExecutionProvider: not built in.*there are: {CPU}"
    ):
        load(model, options(providers=("NopeExecutionProvider",), allow_fallback=False))


def test_a_named_provider_comes_before_what_auto_would_prefer(model, options, nvidia):
    nvidia.install("10.3.0")
    build_engine(model, options())
    with load(model, options(providers=(CPU,))) as session:
        assert (session.provider, session.passed_over) == (CPU, ())


def test_a_runtime_named_for_a_file_of_another_format_says_what_it_reads(model, options):
    with pytest.raises(RuntimeUnavailableError, match="litert: reads litert, not onnx"):
        load(model, options(runtime="litert", allow_fallback=False))


def test_a_format_that_no_runtime_reads_is_named(model, options, tiny):
    tiny.rewrite(model, model.read_bytes(), format="keras")
    with pytest.raises(ModelError, match="no runtime reads keras files"):
        load(model, options())


def test_listing_the_runtimes_imports_none_of_them():
    heavy = ("onnxruntime", "tensorrt", "pycuda", "ai_edge_litert", "tflite_runtime")
    code = (
        "import sys, lightfer_ros.runtimes as r\n"
        f"print([x.name for x in r.runtimes()], [m for m in {heavy} if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"{[runtime.name for runtime in runtimes()]} []"


def test_the_input_of_the_comparison_is_the_same_everywhere(tiny, model):
    with load(model) as session:
        batch = fixed_input(session.metadata)
        session.run(batch)
    assert batch.shape == (4, 16, 16, 1) and batch.dtype == np.float32
    assert (batch.min(), batch.max()) == pytest.approx((-1, 1), abs=1e-5)
    np.testing.assert_allclose(batch[0, 8, ::5, 0], [-0.58096, 0.83688, 0.46669, 0.57707], atol=1e-4)


def test_a_model_for_other_classes_is_refused_with_those_expected(model, options):
    beside = model.with_name(model.name + ".json")
    beside.write_text(beside.read_text().replace('"disgust"', '"contempt"'))
    with pytest.raises(ModelError, match=r"classes .*contempt.*expected .*'angry', 'disgust', 'fear'"):
        load(model, options())


@pytest.mark.parametrize("trouble", ["too little memory", "another version", "damaged"])
def test_an_engine_that_is_no_use_here_gives_way_to_the_next_in_order_and_says_why(
    model, options, nvidia, tiny, trouble
):
    trt = nvidia.install("10.3.0")
    engine = build_engine(model, options())
    if trouble == "too little memory":
        trt.faults.no_memory_for_contexts = True
    elif trouble == "another version":
        nvidia.install("10.4.0")
    else:
        engine.write_bytes(engine.read_bytes()[:-1])
    with load(model, options()) as session:
        reason = dict(session.passed_over)["tensorrt NVIDIA Orin"]
        assert session.runtime == "onnxruntime"
        assert (
            "gets no GPU memory" if trouble == "too little memory" else "no engine for this GPU"
        ) in reason
        np.testing.assert_allclose(session.run(tiny.crops(2)), tiny.answer(tiny.crops(2)), atol=1e-4)
    assert engine_wanted(model, options()) == (trouble != "too little memory"), "a stale one is built anew"
