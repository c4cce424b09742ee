"""What `lightfer benchmark ros` refuses, and how it tells how old the newest answer was."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.benchmark.busy import busy_processes
from lightfer_ros.benchmark.machine import ProcessLoad
from lightfer_ros.benchmark.ros import oldest, read_size
from lightfer_ros.errors import ConfigurationError, LightferError


@pytest.mark.parametrize(
    "text", ["1280", "0x480", "641x480", "640x481", "-640x480", "640 x 480", "64x64", ""]
)
def test_a_size_that_no_video_has_is_refused_by_name(text):
    with pytest.raises(ConfigurationError, match=r"--size is .*, expected WxH in pixels"):
        read_size(text)


def test_a_size_is_width_and_height():
    assert read_size("1280x720") == (1280, 720)


@given(st.integers(1, 2**31), st.lists(st.floats(0.001, 0.3), min_size=2, max_size=50))
def test_answers_to_every_image_are_at_most_a_period_older_than_the_latest_they_came(start, latencies):
    """Pictures at 10 Hz: before the next answer comes, the newest is a period and that answer's delay old."""
    stamps = [(start + i // 10, i % 10 * 100_000_000) for i in range(len(latencies))]
    age = oldest(dict(zip(stamps, latencies, strict=True)))
    assert age <= 0.1 + max(latencies) + 1e-6
    assert age >= min(latencies)


def test_a_dropped_image_makes_the_newest_answer_older():
    every = {(7, i * 100_000_000): 0.01 for i in range(10)}
    assert oldest(every) == pytest.approx(0.11)
    del every[7, 400_000_000], every[7, 500_000_000]
    assert oldest(every) == pytest.approx(0.31)


def test_one_answer_is_as_old_as_it_was_late():
    assert oldest({(7, 0): 0.02}) == 0.02


def test_busy_processes_take_processor_time_and_are_gone_afterwards():
    with busy_processes(1) as (pid,):
        first = ProcessLoad.of(pid)
        while ProcessLoad.of(pid).cpu_s - first.cpu_s < 0.2:
            pass
    with pytest.raises(LightferError, match=f"process {pid} cannot be measured"):
        ProcessLoad.of(pid)


def test_a_load_that_no_machine_bears_is_refused():
    command = [sys.executable, "-m", "lightfer_ros", "benchmark", "ros", "--busy", "-1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "--busy is -1, expected 0 to 64" in done.stderr
