"""What every runtime promises, whatever engine is under it."""

from __future__ import annotations

import importlib.util
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from lightfer_ros.errors import ImageError, ModelError, RuntimeUnavailableError
from lightfer_ros.runtimes import RuntimeOptions, Session, load
from lightfer_ros.runtimes.tensorrt_engine import build_engine

MODULES = {"onnxruntime": "onnxruntime", "litert": "ai_edge_litert"}
"""What each runtime imports: without it, its tests are skipped."""

BOUNDS = {"fp32": 1e-4, "fp16": 2e-3, "int8": 0.05, "int8_trt": 0.05}
"""How far a probability may be from the reference in NumPy, per precision."""

CASES = [
    ("onnxruntime", "fp32"),
    ("onnxruntime", "fp16"),
    ("onnxruntime", "int8"),
    ("onnxruntime", "int8_trt"),
    ("litert", "fp32"),
    ("litert", "fp16"),
    ("litert", "int8"),
    ("tensorrt", "fp32", "8.2.1"),
    ("tensorrt", "fp16", "8.6.2"),
    ("tensorrt", "int8_trt", "8.6.2"),
    ("tensorrt", "fp32", "10.3.0"),
    ("tensorrt", "int8_trt", "11.1.0"),
]
"""Runtime, precision, and the TensorRT that stands in for the vendor's."""


@dataclass(frozen=True)
class Case:
    """A model file that one runtime reads in one precision, the options for it, the bound to meet."""

    path: Path
    options: RuntimeOptions
    bound: float

    def load(self) -> Session:
        if self.options.runtime == "tensorrt":
            build_engine(self.path, self.options)
        return load(self.path, self.options)


@pytest.fixture(params=CASES, ids="-".join)
def case(request, tiny, nvidia, tmp_path) -> Case:
    runtime, precision, *version = request.param
    if version:
        nvidia.install(version[0])
    elif importlib.util.find_spec(MODULES[runtime]) is None:
        pytest.skip(f"{MODULES[runtime]} is not installed")
    path = tiny.save_as("litert" if runtime == "litert" else "onnx", precision, tmp_path)
    options = RuntimeOptions(runtime=runtime, allow_fallback=False, engine_cache=tmp_path / "engines")
    return Case(path, options, BOUNDS[precision])


@pytest.fixture
def session(case: Case):
    with case.load() as session:
        yield session


@pytest.mark.parametrize("count", [0, 1, 7, 64])
def test_a_batch_of_any_size_gets_the_reference_answers(case: Case, session: Session, tiny, count):
    batch = tiny.crops(count)
    answer = session.run(batch)
    assert answer.shape == (count, 7) and answer.dtype == np.float32
    np.testing.assert_allclose(answer, tiny.answer(batch), atol=case.bound)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_model_that_looks_twice_gives_the_mean_of_a_face_and_its_mirror_image(case: Case, tiny, count):
    saw = np.resize(np.linspace(-1, 1, 4, dtype=np.float32), tiny.size)  # falls where its mirror image rises
    batch = np.float32(0.9) * saw[:, None] + np.float32(0.1) * tiny.crops(count)
    with case.load() as session:
        looks = session.run(batch), session.run(batch[:, :, ::-1])
    assert not count or np.abs(looks[0] - looks[1]).max() > 0.1, "else it would prove nothing"
    tiny.rewrite(case.path, case.path.read_bytes(), mirrored=True)
    with case.load() as session:
        np.testing.assert_allclose(session.run(batch), np.mean(looks, axis=0), atol=2e-3)


def test_a_session_says_what_it_runs_on(case: Case, session: Session):
    assert session.runtime == case.options.runtime
    assert session.provider
    assert session.passed_over == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda b: b.astype(np.float64), "dtype float64"),
        (lambda b: (b * 100).astype(np.uint8), "dtype uint8"),
        (lambda b: b[0], r"shape \[16, 16, 1\]"),
        (lambda b: b[:, :15], r"shape \[2, 15, 16, 1\]"),
        (lambda b: np.repeat(b, 3, axis=3), r"shape \[2, 16, 16, 3\]"),
        (lambda b: b.transpose(0, 3, 1, 2), r"shape \[2, 1, 16, 16\]"),
        (lambda b: b.tolist(), "is a list"),
        (lambda b: b * np.where(np.arange(16) == 3, np.nan, 1).astype(np.float32)[:, None], "NaN"),
        (lambda b: b + np.float32(np.inf), "range inf to inf"),
        (lambda b: np.float32(255) * np.abs(b), "range .* expected -1 to 1"),
    ],
)
def test_a_batch_that_is_not_what_the_model_takes_is_refused_by_name(session: Session, tiny, change, said):
    with pytest.raises(ImageError, match=said):
        session.run(change(tiny.crops(2)))
    assert session.run(tiny.crops(2)).shape == (2, 7), "a refused batch must not spoil the session"


def test_two_sessions_side_by_side_keep_their_own_answers(case: Case, tiny):
    first, second = tiny.crops(3), tiny.crops(5)
    with case.load() as a, case.load() as b:
        for _ in range(3):
            np.testing.assert_allclose(a.run(first), tiny.answer(first), atol=case.bound)
            np.testing.assert_allclose(b.run(second), tiny.answer(second), atol=case.bound)
        a.close()
        np.testing.assert_allclose(b.run(second), tiny.answer(second), atol=case.bound)


def test_a_session_loaded_in_a_thread_runs_and_closes_in_it(case: Case, tiny):
    answers, batch = [], tiny.crops(4)

    def work() -> None:
        with case.load() as session:
            answers.append(session.run(batch))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    np.testing.assert_allclose(answers[0], tiny.answer(batch), atol=case.bound)


def test_a_session_may_be_closed_twice_and_then_runs_no_more(session: Session, tiny):
    session.close()
    session.close()
    with pytest.raises(RuntimeUnavailableError, match="session of tiny is closed"):
        session.run(tiny.crops(1))


def test_an_answer_is_the_callers_to_keep(session: Session, tiny):
    first = session.run(tiny.crops(1))
    kept = first.copy()
    session.run(tiny.crops(7))
    np.testing.assert_array_equal(first, kept)


def test_a_read_only_or_strided_batch_is_taken_as_it_is(case: Case, session: Session, tiny):
    batch = tiny.crops(6)
    batch.setflags(write=False)
    np.testing.assert_allclose(session.run(batch[::2]), tiny.answer(batch[::2]), atol=case.bound)


def test_a_corrupt_file_is_refused_by_its_path(case: Case, tiny):
    content = case.path.read_bytes()
    tiny.rewrite(case.path, content[: len(content) // 2])
    with pytest.raises((ModelError, RuntimeUnavailableError), match=str(case.path)):
        case.load()


def test_a_file_without_metadata_is_refused_with_the_path_of_what_is_missing(case: Case):
    beside = case.path.with_name(case.path.name + ".json")
    beside.unlink()
    with pytest.raises(ModelError, match=str(beside)):
        case.load()


def test_a_file_that_is_not_the_one_its_metadata_describes_is_refused_with_both_hashes(case: Case):
    case.path.write_bytes(case.path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match=r"sha256 expected [0-9a-f]{64}, found [0-9a-f]{64}"):
        case.load()


def test_a_file_of_another_shape_than_its_metadata_says_is_refused_with_both_shapes(case: Case, tiny):
    tiny.rewrite(case.path, case.path.read_bytes(), input_size=32)
    with pytest.raises((ModelError, RuntimeUnavailableError), match=r"16, 16.*32, 32"):
        case.load()
