"""A way of a frame measured over a video in a fresh process: speed, processor, memory, power, stages."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import cv2

from lightfer_ros.benchmark.cells import EXTRA_RUNTIMES
from lightfer_ros.benchmark.machine import machine
from lightfer_ros.benchmark.power import PowerWatch, gpu_memory_mb
from lightfer_ros.errors import LightferError

OURS = "ours"

LONGEST_START_S = 600.0
"""Loading and warming up; a process that takes longer hangs. The slowest seen is an engine inside ONNX
Runtime, minutes."""
LONGEST_FRAME_S = 5.0
"""Mean over a video; a run that takes longer hangs. The paper's way with six faces takes 79 ms on a PC."""
UNTOLD_FRAMES = 20_000
"""Taken where a video does not tell how many it has, as streams do not: more than a day at that."""
LAST_BREATH_S = 10.0
"""Between the end of what a process says and its own; one inside a driver that hangs never ends."""


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
            return _converse(name, process, asked)
        except LightferError as error:
            return PipelineRow(name, error=str(error))
        except (BrokenPipeError, EOFError):
            return PipelineRow(name, error=_how_it_ended(process, complaints))
        finally:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LAST_BREATH_S)
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # what it never read
                    pipe.close()


def longest_run_s(asked: Mapping[str, Any]) -> float:
    """Seconds after which a run hangs, by the frames that are asked for or, for 0, that its video has."""
    frames = int(asked["frames"])
    if not frames:
        capture = cv2.VideoCapture(asked["video"])
        frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
    return LONGEST_START_S + LONGEST_FRAME_S * (frames if frames > 0 else UNTOLD_FRAMES)


def _converse(name: str, process: Any, asked: Mapping[str, Any]) -> PipelineRow:
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    word = _hear(process, LONGEST_START_S)
    if word != "ready":
        return PipelineRow(name, error=str(_told(word).get("error", word)))
    longest_s = longest_run_s(asked)  # looks into the video, so before anything is measured
    watch = PowerWatch()
    watch.start()
    try:
        process.stdin.write("go\n")
        process.stdin.flush()
        told = _told(_hear(process, longest_s))
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


def _hear(process: Any, longest_s: float) -> str:
    """The next line that the process says. Raises LightferError when it is silent for longer, EOFError."""
    # it says a line in one piece, and the next one only when it is asked: none waits inside our own buffer
    if not select.select([process.stdout], [], [], longest_s)[0]:
        raise LightferError(f"no word within {longest_s:g} s: the process hangs")
    line = str(process.stdout.readline())
    if not line:
        raise EOFError
    return line.strip()


def _told(line: str) -> dict[str, Any]:
    try:
        return dict(json.loads(line))
    except (TypeError, ValueError):
        raise LightferError(f"the process said {line!r}, expected a JSON object") from None


def _how_it_ended(process: Any, complaints: IO[str]) -> str:
    try:
        code = process.wait(LAST_BREATH_S)
    except subprocess.TimeoutExpired:
        return "the process closed its output and did not end"
    complaints.seek(0)
    lines = complaints.read().strip().splitlines() or ["no word"]
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"the process ended with {how}: {lines[-1]}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return value
