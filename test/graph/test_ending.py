"""The node ends within a second, whatever it is doing, and leaves nothing behind."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["importing", "loading", "running"])
def test_it_ends_within_a_second_at_any_moment(graph, environment, number, moment, tmp_path):
    before = set(os.listdir("/dev/shm"))
    seed = random.Random(f"{number} {moment}")
    output = tmp_path / "log"
    command = [
        sys.executable,
        "-m",
        "lightfer_ros.nodes.emotion_node",
        "--ros-args",
        "-r",
        f"__ns:={graph.namespace}",
    ]
    with output.open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            if moment == "running":
                graph.wait(lambda: "looking at" in output.read_text(), "the node looks")
            else:
                graph.wait(lambda: _handles(process.pid, number), "the node handles signals")
            if moment == "loading":
                graph.wait(lambda: graph.node.count_publishers("/diagnostics") > 0, "the node exists")
            graph.wait(_after(seed.uniform(0.0, 0.3)), "a random while")
            segments = _shared_memory(process.pid) - before
            assert segments or moment == "importing"
            start = time.monotonic()
            process.send_signal(number)
            code = process.wait(5)
            took = time.monotonic() - start
        finally:
            process.kill()
    text = output.read_text()
    assert code == 0, text
    assert "Traceback" not in text
    assert took < 1.0
    assert not segments & set(os.listdir("/dev/shm"))


def _handles(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), 16)
    return bool(caught >> (int(number) - 1) & 1) and b"lightfer" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _shared_memory(pid: int) -> set[str]:
    """Names of the Fast DDS segments that a process has mapped; ports belong to all participants."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return set(re.findall(r"/dev/shm/(fastrtps_[0-9a-f]{16})\b", maps))


def _after(seconds: float):
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end
