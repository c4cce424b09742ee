"""TensorRT in the styles of its API, against strict stand-ins: none of this ran on hardware."""

from __future__ import annotations

import json
import logging
import threading

import numpy as np
import pytest

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.runtimes import RuntimeOptions, load
from lightfer_ros.runtimes.tensorrt_api import vendor_log
from lightfer_ros.runtimes.tensorrt_engine import build_engine, engine_wanted, plan_engine

VERSIONS = ("8.2.1", "8.6.2", "10.3.0", "11.1.0")


@pytest.fixture
def options(tmp_path) -> RuntimeOptions:
    return RuntimeOptions("tensorrt", allow_fallback=False, engine_cache=tmp_path / "engines")


@pytest.fixture
def model(tiny, tmp_path):
    return tiny.save_as("onnx", "fp32", tmp_path)


def built_with(engine) -> list[str]:
    """The builder flags that the stand-in wrote into its engine."""
    return json.loads(engine.read_bytes().partition(b"\n")[0])["flags"]


@pytest.mark.parametrize(
    ("version", "precision", "flags"),
    [
        ("8.2.1", "fp32", ["FP16"]),
        ("8.6.2", "fp16", ["FP16"]),
        ("8.6.2", "int8_trt", ["FP16", "INT8"]),
        ("10.3.0", "int8_trt", ["FP16", "INT8"]),
        ("11.1.0", "fp32", []),
        ("11.1.0", "int8_trt", []),
    ],
)
def test_precision_comes_from_flags_before_version_11_and_from_the_file_since(
    nvidia, tiny, tmp_path, options, version, precision, flags
):
    nvidia.install(version)
    path = tiny.save_as("onnx", precision, tmp_path)
    assert built_with(build_engine(path, options)) == flags
    with load(path, options) as session:
        assert session.arithmetic == (precision if precision == "int8_trt" or not flags else "fp16")


def test_fp32_may_be_asked_for(nvidia, model, tmp_path):
    nvidia.install("8.2.1")
    exact = RuntimeOptions("tensorrt", engine_precision="fp32", engine_cache=tmp_path / "engines")
    assert built_with(build_engine(model, exact)) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_beyond_the_profile_is_split(nvidia, model, tiny, tmp_path, version):
    nvidia.install(version)
    small = RuntimeOptions("tensorrt", max_batch=3, engine_cache=tmp_path / "engines")
    build_engine(model, small)
    batch = tiny.crops(10)
    with load(model, small) as session:
        np.testing.assert_allclose(session.run(batch), tiny.answer(batch), atol=1e-4)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_with_one_crop_a_call_needs_no_profile(nvidia, tiny, tmp_path, options, version):
    nvidia.install(version)
    path, batch = tiny.save(tmp_path / "tiny.onnx", tiny.onnx(batch=1)), tiny.crops(3)
    build_engine(path, options)
    with load(path, options) as session:
        np.testing.assert_allclose(session.run(batch), tiny.answer(batch), atol=1e-4)


@pytest.mark.parametrize("version", VERSIONS)
def test_another_thread_is_refused_by_name_and_the_loading_one_can_still_close(
    nvidia, model, tiny, options, version
):
    nvidia.install(version)
    build_engine(model, options)
    session, refusals = load(model, options), []

    def intrude() -> None:
        for act in (lambda: session.run(tiny.crops(1)), session.close):
            with pytest.raises(RuntimeUnavailableError) as refusal:
                act()
            refusals.append(str(refusal.value))

    thread = threading.Thread(target=intrude, name="intruder")
    thread.start()
    thread.join(60)
    assert all("in thread intruder, expected the one that loaded it, MainThread" in r for r in refusals)
    assert len(refusals) == 2
    session.run(tiny.crops(1))
    session.close()


@pytest.mark.parametrize(
    ("gpu", "file", "reason"),
    [
        ({"compute_capability": (5, 3)}, {"precision": "int8_trt"}, r"SM 5\.3\) has no INT8 arithmetic"),
        ({}, {"precision": "int8"}, "int8_trt .zero point 0., this one is int8"),
        ({}, {"precision": "int4"}, "this one is int4"),
        ({}, {"opset": 15}, "TensorRT 8.2 reads opset 13 at most, this file has 15"),
    ],
)
def test_a_file_that_cannot_run_here_is_refused_before_anything_is_built(
    nvidia, model, tiny, options, gpu, file, reason
):
    nvidia.install("8.2.1", **gpu)
    tiny.rewrite(model, model.read_bytes(), **file)
    with pytest.raises(RuntimeUnavailableError, match=reason):
        build_engine(model, options)
    assert not engine_wanted(model, options), "no build could help"
    assert not options.engine_cache.exists()


def test_what_the_parser_says_is_passed_on(nvidia, tiny, tmp_path, options):
    nvidia.install("8.2.1")
    path = tiny.save(tmp_path / "tiny.onnx", tiny.onnx(opset=15))  # its metadata does not tell the opset
    with pytest.raises(
        RuntimeUnavailableError, match=r"TensorRT 8\.2\.1 cannot parse it: Unsupported ONNX opset"
    ):
        build_engine(path, options)


def test_an_input_that_is_not_the_metadatas_is_refused_before_the_build(nvidia, tiny, tmp_path, options):
    nvidia.install("10.3.0")
    path = tiny.save(tmp_path / "tiny.onnx", tiny.onnx(), layout="nchw")
    with pytest.raises(ModelError, match=r"\[-1, 16, 16, 1\], expected FLOAT \['n', 1, 16, 16\]"):
        build_engine(path, options)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_engine_that_does_not_load_counts_as_absent(nvidia, model, options, version):
    nvidia.install(version)
    with load(model) as other:
        plan = plan_engine(other.metadata, options)
    plan.cache.folder.mkdir()
    plan.cache.write(plan.key, json.dumps({"version": "7.1"}).encode() + b"\n")
    assert not engine_wanted(model, options)
    with pytest.raises(RuntimeUnavailableError, match=r"must be built again \(engine of 7\.1 in TensorRT"):
        load(model, options)
    assert engine_wanted(model, options)
    build_engine(model, options)
    load(model, options).close()


def test_an_engine_that_does_not_load_from_a_read_only_cache_names_the_ways_out(
    nvidia, model, options, monkeypatch, caplog
):
    nvidia.install("10.3.0")
    with load(model) as other:
        plan = plan_engine(other.metadata, options)
    plan.cache.folder.mkdir()
    plan.cache.write(plan.key, json.dumps({"version": "7.1"}).encode() + b"\n")

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    with pytest.raises(RuntimeUnavailableError, match=r"cannot be written: .* --rebuild` .* --engine-cache"):
        load(model, options)
    assert "is of no use and cannot be deleted: [Errno 30] Read-only file system" in caplog.text
    assert not engine_wanted(model, options), "no build could go there"
    build_engine(model, options, rebuild=True)
    load(model, options).close()


def test_too_little_gpu_memory_is_said_and_nothing_stays_on_the_gpu(nvidia, model, options):
    trt = nvidia.install("10.3.0")
    build_engine(model, options)
    trt.faults.no_memory_for_contexts = True
    with pytest.raises(RuntimeUnavailableError, match="gets no GPU memory to run in: OutOfMemory"):
        load(model, options)
    trt.faults.no_memory_for_contexts = False
    nvidia.gpus[0].free_bytes = 1000  # enough for the answers, not for the crops
    with pytest.raises(RuntimeUnavailableError, match="loading an engine on the GPU needs more memory"):
        load(model, options)


def test_an_execution_that_tensorrt_refuses_raises_with_its_reason(nvidia, model, tiny, options):
    trt = nvidia.install("10.3.0")
    build_engine(model, options)
    with load(model, options) as session:
        trt.faults.refuses_execution = True
        with pytest.raises(RuntimeUnavailableError, match="refused a batch of 2: enqueue was refused"):
            session.run(tiny.crops(2))
        trt.faults.refuses_execution = False
        session.run(tiny.crops(2))


def test_a_machine_without_a_gpu_or_with_fewer_says_so(nvidia, model, options):
    nvidia.install("10.3.0")
    nvidia.gpus[0].count = 0
    with pytest.raises(RuntimeUnavailableError, match="no CUDA-capable device"):
        load(model, options)
    nvidia.gpus[0].count = 1
    second = RuntimeOptions("tensorrt", device=1, allow_fallback=False)
    with pytest.raises(RuntimeUnavailableError, match="there is no GPU 1; this machine has 1"):
        load(model, second)


def test_an_empty_package_of_the_vendors_name_is_not_taken_for_tensorrt(nvidia, model, options):
    del nvidia.install("10.3.0").Builder
    with pytest.raises(RuntimeUnavailableError, match="tensorrt cannot be imported"):
        load(model, options)


def test_the_vendors_log_goes_to_ours_and_never_raises_into_the_vendor(nvidia, caplog, monkeypatch):
    trt = nvidia.install("8.6.2")
    log, severity = vendor_log(trt), trt.ILogger.Severity
    assert vendor_log(trt) is log, "TensorRT wants one a process"
    with caplog.at_level(logging.DEBUG):
        log.log(severity.WARNING, "FP16 is slow here")
        log.log(severity.VERBOSE, "a tactic")
    assert [(r.levelname, r.message) for r in caplog.records] == [("WARNING", "TensorRT: FP16 is slow here")]
    monkeypatch.setattr(logging.Logger, "_log", lambda *_, **__: 1 / 0)
    log.log(severity.ERROR, "out of memory")
    assert log.last_error == "out of memory"


def test_a_build_tells_its_progress_where_the_version_does(nvidia, model, options):
    nvidia.install("11.1.0")
    news = []
    build_engine(model, options, news.append)
    assert news == [
        "TensorRT 11.1.0 builds fp32 for NVIDIA Orin",
        "Timing tactics: 1 of 2",
        "Timing tactics: 2 of 2",
    ]
    build_engine(model, options, news.append)
    assert news[-1] == "already built"
