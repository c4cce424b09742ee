"""Memory: large tables lie on huge pages where Linux has them, and freed memory is kept where glibc can."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lightfer_ros.perception import heap
from lightfer_ros.perception.heap import HUGE_PAGE, keep_freed_memory, on_huge_pages

HUGE = """
from pathlib import Path
import numpy as np
from lightfer_ros.perception.heap import HUGE_PAGE, on_huge_pages
def huge():
    lines = Path("/proc/self/smaps").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages"))
before = huge()
with on_huge_pages():
    table = np.random.default_rng(0).integers(0, 255, 8 * HUGE_PAGE, np.uint8)
    total = int(table.sum())
assert int(table.sum()) == total
print((huge() - before) // HUGE_PAGE)
"""


def have_huge_pages() -> bool:
    switch = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    return switch.is_file() and "[never]" not in switch.read_text() and release >= (6, 1)


@pytest.mark.skipif(
    not have_huge_pages(), reason="no transparent huge pages here, or not at once (Linux 6.1)"
)
def test_what_is_taken_inside_lies_on_huge_pages_and_is_unharmed():
    assert 6 <= int(printed_by(HUGE)) <= 8


def test_without_the_systems_help_memory_is_as_it_was(monkeypatch):
    monkeypatch.setattr(heap.sys, "platform", "darwin")
    with on_huge_pages():
        table = np.ones(2 * HUGE_PAGE, np.uint8)
    assert int(table.sum()) == 2 * HUGE_PAGE
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda _: object())
    assert not keep_freed_memory()


FAULTS = """
import resource
import numpy as np
from lightfer_ros.perception.heap import keep_freed_memory
if {kept} and not keep_freed_memory():
    print(-1)
    raise SystemExit
def fill():
    pictures = [np.ones(921_600, np.uint8) for _ in range(6)]
for _ in range(3):
    fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def printed_by(code: str) -> str:
    """What a fresh process prints."""
    command = [sys.executable, "-c", code]
    ours = {**os.environ, "NUMPY_MADVISE_HUGEPAGE": "0"}  # NumPy asks for huge pages, too
    done = subprocess.run(command, env=ours, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_pictures_that_take_the_place_of_others_cost_no_page_faults():
    kept = int(printed_by(FAULTS.format(kept=True)))
    if kept < 0:
        pytest.skip("this libc cannot be told to keep memory")
    assert 20 * kept < int(printed_by(FAULTS.format(kept=False)))
