"""A way of a frame measured over a video in a fresh process: speed, processor, memory, power, stages."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightfer_ros.benchmark.cells import EXTRA_RUNTIMES
from lightfer_ros.benchmark.machine import machine
from lightfer_ros.benchmark.power import PowerWatch, gpu_memory_mb

OURS = "ours"


@dataclass(frozen=True)
class PipelineRow:
    """How one way fared with the video, or why it did not: then `error` says so.

    fps: frames decoded and processed a second, as fast as they can be had. p50_ms, p99_ms: of a frame.
    cpu_ms: processor time of a frame. cpu_percent: of one core; machine_percent: of all cores, as the paper
    has it. memory_mb: peak resident memory of the process; gpu_memory_mb: what it holds for a GPU, None where
    nothing tells. power_mw: mean of what `power_of` names, idle share included; None where nothing tells, and
    then `power_of` is the reason. stages_ms: mean over all frames.
    """

    name: str
    model: str = ""
    runtime: str = ""
    detector: str = ""
    frames: int | None = None
    faces: float | None = None
    fps: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    cpu_ms: float | None = None
    cpu_percent: float | None = None
    machine_percent: float | None = None
    memory_mb: float | None = None
    memory_percent: float | None = None
    gpu_memory_mb: float | None = None
    power_mw: float | None = None
    power_of: str = ""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, numbers rounded to what was measured."""
        return {name: _rounded(value) for name, value in self.__dict__.items()}


def measure(
    name: str, video: Path, way: str = OURS, settings: Mapping[str, Any] | None = None, frames: int = 0
) -> PipelineRow:
    """Run a way over a video and watch it; a failure of any kind is a row too.

    way: `OURS` with `settings` of NamedEngine, or a peer. frames: the first so many, 0 for all.
    """
    asked = {
        "way": way,
        "settings": dict(settings or {}),
        "video": str(video),
        "frames": frames,
        "extra": EXTRA_RUNTIMES,
    }
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "lightfer_ros.benchmark.pipeline_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        assert process.stdin is not None and process.stdout is not None
        try:
            return _converse(name, process, json.dumps(asked))
        except (OSError, ValueError):  # its end of the pipe is closed, or what it said is no JSON
            process.kill()
            code = process.wait()
            complaints.seek(0)
            lines = complaints.read().strip().splitlines() or ["no word"]
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return PipelineRow(name, error=f"the process ended with {how}: {lines[-1]}")
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what it never read
                    pipe.close()


def _converse(name: str, process: Any, asked: str) -> PipelineRow:
    process.stdin.write(asked + "\n")
    process.stdin.flush()
    line = process.stdout.readline().strip()
    if line != "ready":
        return PipelineRow(name, error=str(json.loads(line)["error"]))
    watch = PowerWatch()
    watch.start()
    try:
        process.stdin.write("go\n")
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
    finally:
        power = watch.stop()
    if "error" in told:
        return PipelineRow(name, error=str(told["error"]))
    on_gpu = gpu_memory_mb(process.pid)
    process.stdin.close()
    about = machine()
    return PipelineRow(
        name,
        machine_percent=told["cpu_percent"] / int(about["cores"]),
        memory_percent=100.0 * told["memory_mb"] / int(about["memory_mb"]),
        gpu_memory_mb=on_gpu,
        power_mw=power.milliwatts,
        power_of=power.of,
        **told,
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return value
