"""INT8 where it is faster, its float sibling where it is not; measured here, never assumed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.model.metadata import read_metadata
from lightfer_ros.runtimes import RuntimeOptions, fastest, load_fastest
from lightfer_ros.runtimes.fastest import engine_file, float_sibling, seconds_a_face
from lightfer_ros.runtimes.tensorrt_engine import build_engine

pytest.importorskip("onnxruntime")

AUTO = RuntimeOptions()


@pytest.fixture
def files(tiny, tmp_path):
    """The same network in INT8, as the export names it, and in FP16."""
    for precision in ("int8", "fp16"):
        path = tiny.save_as("onnx", precision, tmp_path)
        for file in (path, path.with_name(path.name + ".json")):
            file.rename(file.with_name(file.name.replace("tiny", f"tiny-{precision}")))
    (tmp_path / "tiny.float.onnx").unlink()
    for precision in ("int8", "fp16"):
        path = tmp_path / f"tiny-{precision}.onnx"
        tiny.rewrite(path, path.read_bytes(), name=path.stem)
    return tmp_path / "tiny-int8.onnx", tmp_path / "tiny-fp16.onnx"


def taking(monkeypatch, **milliseconds: float) -> None:
    """Let a session take this long for a face, by its precision; the stand-in of a clock."""
    monkeypatch.setattr(
        fastest,
        "seconds_a_face",
        lambda sessions: [1e-3 * milliseconds[session.metadata.precision] for session in sessions],
    )


@pytest.mark.parametrize(
    ("int8", "fp16", "used"),
    [(0.24, 0.15, "tiny-fp16"), (0.15, 0.24, "tiny-int8"), (0.15, 0.14, "tiny-int8")],
)
def test_the_float_file_is_used_where_int8_is_clearly_slower(files, monkeypatch, int8, fp16, used, nvidia):
    nvidia.remove()
    taking(monkeypatch, int8=int8, fp16=fp16)
    with load_fastest(files[0], AUTO) as session:
        assert session.metadata.name == used
        if used == "tiny-fp16":
            reason = dict(session.passed_over)["tiny-int8"]
            assert reason == "0.24 ms a face in onnxruntime, tiny-fp16 takes 0.15"


def test_a_file_that_is_asked_for_in_float_is_never_exchanged(files, monkeypatch):
    taking(monkeypatch)  # nothing is timed
    with load_fastest(files[1], AUTO) as session:
        assert session.metadata.precision == "fp16"


def test_a_sibling_with_another_input_or_a_broken_one_stands_in_for_nothing(files, tiny, monkeypatch):
    int8, fp16 = files
    taking(monkeypatch)
    tiny.rewrite(fp16, fp16.read_bytes(), input_size=32)
    assert float_sibling(int8, read_metadata(int8)) is None
    fp16.write_bytes(b"broken")
    with load_fastest(int8, AUTO) as session:
        assert session.metadata.precision == "int8"


def test_a_sibling_that_no_engine_reads_leaves_the_file_that_was_asked_for(files, tiny, nvidia):
    nvidia.remove()
    tiny.rewrite(files[1], b"not a network", name=files[1].stem)
    with load_fastest(files[0], AUTO) as session:
        assert session.metadata.name == "tiny-int8"


def test_an_engine_that_is_named_gets_the_file_that_it_can_run(files, nvidia, tmp_path, monkeypatch):
    int8, fp16 = files
    taking(monkeypatch)
    nvidia.install("8.2.1", compute_capability=(5, 3))  # the original Nano: no INT8
    options = RuntimeOptions("tensorrt", allow_fallback=False, engine_cache=tmp_path / "engines")
    assert engine_file(int8, options) == fp16
    with pytest.raises(RuntimeUnavailableError, match="this one is int8"):
        load_fastest(int8, options)
    build_engine(fp16, options)
    assert engine_file(int8, options) is None
    for allowed in (False, True):
        with load_fastest(int8, dataclasses.replace(options, allow_fallback=allowed)) as session:
            assert (session.runtime, session.metadata.precision) == ("tensorrt", "fp16")
            assert "tiny-int8" in dict(session.passed_over)


def test_the_slower_session_takes_longer(files, monkeypatch):
    with load_fastest(files[1], AUTO) as one, load_fastest(files[1], AUTO) as other:
        run = other.run

        def slowly(batch: np.ndarray) -> np.ndarray:
            for _ in range(20):
                run(batch)
            return run(batch)

        monkeypatch.setattr(other, "run", slowly)
        fast, slow = seconds_a_face([one, other])
        assert 0.0 < fast < slow / 3
