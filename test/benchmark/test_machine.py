"""What a process takes of a machine, as the kernel counts it."""

from __future__ import annotations

import mmap
import os
import subprocess
import time

import pytest

from lightfer_ros.benchmark.machine import ProcessLoad, machine
from lightfer_ros.errors import LightferError


def test_a_busy_process_has_taken_the_processor_time_that_it_took():
    before, start = ProcessLoad.of(os.getpid()), time.process_time()
    while time.process_time() - start < 0.5:
        pass
    after = ProcessLoad.of(os.getpid())
    assert after.cpu_s - before.cpu_s == pytest.approx(time.process_time() - start, abs=0.05)
    expected = 100 * (after.cpu_s - before.cpu_s) / (after.at_s - before.at_s)
    assert after.cpu_percent_since(before) == pytest.approx(expected)


def test_memory_that_is_touched_counts_and_its_peak_stays():
    before = ProcessLoad.of(os.getpid())
    memory = mmap.mmap(-1, 100_000_000)  # the kernel's own: NumPy may be given what this process has freed
    memory[:: mmap.PAGESIZE] = bytes(len(range(0, len(memory), mmap.PAGESIZE)))
    during = ProcessLoad.of(os.getpid())
    memory.close()
    after = ProcessLoad.of(os.getpid())
    assert during.memory_mb - before.memory_mb == pytest.approx(100, abs=5)
    assert after.memory_mb < during.memory_mb - 90
    assert after.peak_memory_mb >= during.memory_mb - 5


def test_a_process_that_has_gone_is_named():
    gone = subprocess.Popen(["true"])
    gone.wait()
    with pytest.raises(LightferError, match=f"process {gone.pid} cannot be measured"):
        ProcessLoad.of(gone.pid)


def test_the_machine_is_told_in_words():
    told = machine()
    assert told["processor"] and told["cores"] >= 1 and told["memory_mb"] > 100
    assert told["system"].startswith("Linux")
