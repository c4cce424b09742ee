"""An engine is found again by all it depends on, or counts as absent; it is never half there."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.runtimes import RuntimeOptions
from lightfer_ros.runtimes.engine_cache import EngineCache, EngineKey
from lightfer_ros.runtimes.tensorrt_engine import build_engine

KEY = EngineKey("net", "ab" * 32, "8.2.1.9", "10.2", "NVIDIA Tegra X1", "5.3", "fp16", "16x48x48x1")


@pytest.fixture
def cache(tmp_path) -> EngineCache:
    return EngineCache(tmp_path)


def test_an_engine_comes_back_as_it_was_written(cache):
    path = cache.write(KEY, b"engine")
    assert (cache.read(KEY), path.read_bytes()) == (b"engine", b"engine")
    assert cache.path(KEY) == path


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(EngineKey) if f.name != "model"])
def test_an_engine_built_for_anything_else_is_another_engine(cache, field):
    cache.write(KEY, b"engine")
    assert cache.read(dataclasses.replace(KEY, **{field: "other"})) is None


@given(st.lists(st.text(), min_size=8, max_size=8), st.lists(st.text(), min_size=8, max_size=8))
def test_two_keys_share_a_digest_only_if_all_but_the_name_is_equal(one, other):
    first, second = EngineKey(*one), EngineKey(*other)
    assert (first.digest == second.digest) == (one[1:] == other[1:])


@pytest.mark.parametrize("damage", [b"", b"engin", b"Engine", b"engine!"])
def test_a_damaged_engine_counts_as_absent(cache, damage):
    cache.write(KEY, b"engine").write_bytes(damage)
    assert cache.read(KEY) is None


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_damaged_record_counts_as_absent(cache, record):
    path = cache.write(KEY, b"engine")
    path.with_name(path.name + ".json").write_bytes(record)
    assert cache.read(KEY) is None


@pytest.mark.parametrize("moment", [1, 2])
def test_a_build_killed_while_it_writes_leaves_the_whole_engine_or_none(cache, monkeypatch, moment):
    cache.write(KEY, b"old engine")
    real, calls = os.replace, []

    def replace(source, target):
        calls.append(source)
        if len(calls) == moment:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr("os.replace", replace)
    with pytest.raises(KeyboardInterrupt):
        cache.write(KEY, b"new engine")
    assert cache.read(KEY) == (b"old engine" if moment == 1 else None)


def test_a_read_only_cache_gives_its_engines_and_says_why_it_takes_no_more(cache, monkeypatch):
    cache.write(KEY, b"engine")

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    refusal = pytest.raises(RuntimeUnavailableError, match=r"cannot be written \(Read-only file system\)")
    with refusal, cache.building(KEY):
        pytest.fail("an hour's build would be thrown away")
    monkeypatch.undo()
    monkeypatch.setattr("pathlib.Path.unlink", refuse)
    cache.discard(KEY)
    assert cache.read(KEY) == b"engine"


def test_a_cache_that_cannot_be_a_folder_is_refused_before_the_build(nvidia, tiny, tmp_path):
    nvidia.install("10.3.0").faults.during_build = lambda: pytest.fail("built for nothing")
    options = RuntimeOptions(engine_cache=tiny.save_as("onnx", "fp32", tmp_path) / "engines")
    with pytest.raises(RuntimeUnavailableError, match=r"engine cache .* cannot be written"):
        build_engine(tmp_path / "tiny.onnx", options)


def test_two_builders_of_one_engine_build_it_once(nvidia, tiny, tmp_path, monkeypatch):
    trt, options, built = nvidia.install("10.3.0"), RuntimeOptions(engine_cache=tmp_path / "engines"), []
    model, news = tiny.save_as("onnx", "fp32", tmp_path), []
    second = threading.Thread(target=build_engine, args=(model, options, news.append))
    waits, flock = threading.Event(), fcntl.flock

    def lock(file, kind) -> None:
        if threading.current_thread() is second:
            waits.set()
        flock(file, kind)

    def during_build() -> None:
        built.append(threading.current_thread())
        second.start()
        assert waits.wait(60)

    monkeypatch.setattr("fcntl.flock", lock)
    trt.faults.during_build = during_build
    build_engine(model, options)
    second.join(60)
    assert built == [threading.current_thread()]
    assert news == ["already built by another process"]
