"""One way of a frame over one video, in this process: `python -m` this module, JSON in, JSON out.

It says `ready` when it is loaded and warm, runs when it is told to, and stays until its input ends: who
measures may look at its memory on the GPU.
"""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lightfer_ros.benchmark.cell import register_extra
from lightfer_ros.benchmark.machine import ProcessLoad
from lightfer_ros.benchmark.peers import PEERS, make
from lightfer_ros.errors import LightferError, SourceError
from lightfer_ros.model import manifest
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.runtimes import RuntimeOptions, load

WARM_UP_FRAMES = 15


@dataclass(frozen=True)
class NamedEngine(PipelineConfig):
    """The pipeline's settings with the engine named: it is used or it fails, nothing stands in for it.

    engine: a registered runtime, also one of the benchmark's own; auto for the best. engine_precision: see
    RuntimeOptions. this_file: no faster file of the same network stands in for the model either.
    """

    engine: str = "auto"
    this_file: bool = False
    engine_precision: str = RuntimeOptions.engine_precision

    @property
    def runtime_options(self) -> RuntimeOptions:
        """How the classifier is to be run."""
        return RuntimeOptions(
            runtime=self.engine,
            threads=self.inference_threads,
            allow_fallback=self.engine == "auto",
            engine_precision=self.engine_precision,
        )


def main() -> int:
    """Measure what the first line of standard input asks for; 0 with the result, 1 with an error, as JSON."""
    asked = json.loads(sys.stdin.readline())
    out, sys.stdout = sys.stdout, sys.stderr  # engines print what they like
    try:
        register_extra(asked.get("extra", ()))
        about, way, stages = _way(asked)
        _warm_up(way, Path(asked["video"]))
        print("ready", file=out, flush=True)
        sys.stdin.readline()
        result = {**about, **run(way, stages, Path(asked["video"]), asked["frames"])}
    except LightferError as error:
        print(json.dumps({"error": str(error)}), file=out, flush=True)
        return 1
    print(json.dumps(result), file=out, flush=True)
    sys.stdin.read()
    return 0


def run(
    way: Callable[[np.ndarray, float], int],
    stages: Callable[[], dict[str, float]],
    video: Path,
    most_frames: int,
) -> dict[str, Any]:
    """Take a video's frames as fast as they can be had, each with the stamp that the video gives it.

    way: takes a frame, uint8 [h, w, 3] BGR, and its stamp in seconds; returns how many faces it saw. stages:
    seconds of each stage of the newest frame. Returns plain values; times in ms, of a frame. Raises
    SourceError where the video cannot be read.
    """
    capture = cv2.VideoCapture(str(video))
    rate = capture.get(cv2.CAP_PROP_FPS) or 30.0
    seconds: list[float] = []
    faces: list[int] = []
    sums: dict[str, float] = {"decode": 0.0}
    before, cpu_before = ProcessLoad.of(os.getpid()), time.process_time()
    began = time.perf_counter()
    while len(seconds) < most_frames or not most_frames:
        start = time.perf_counter()
        there, bgr = capture.read()
        if not there:
            break
        sums["decode"] += time.perf_counter() - start
        faces.append(way(bgr, len(seconds) / rate))
        seconds.append(time.perf_counter() - start)
        for name, taken in stages().items():
            sums[name] = sums.get(name, 0.0) + taken
    whole, cpu = time.perf_counter() - began, time.process_time() - cpu_before
    after = ProcessLoad.of(os.getpid())
    capture.release()
    count = len(seconds)
    if not count:
        raise SourceError(f"{video}: no picture can be read from it")
    p50, p99 = np.percentile(seconds, (50, 99))
    return {
        "frames": count,
        "faces": float(np.mean(faces)),
        "fps": count / whole,
        "p50_ms": 1000.0 * float(p50),
        "p99_ms": 1000.0 * float(p99),
        "cpu_ms": 1000.0 * cpu / count,
        "cpu_percent": after.cpu_percent_since(before),
        "memory_mb": after.peak_memory_mb,
        "stages_ms": {name: 1000.0 * total / count for name, total in sums.items()},
    }


def _way(
    asked: dict[str, Any],
) -> tuple[dict[str, str], Callable[[np.ndarray, float], int], Callable[[], dict[str, float]]]:
    if asked["way"] in PEERS:
        peer = PEERS[asked["way"]]
        process = make(peer)
        about = {"model": peer.model, "runtime": peer.runtime, "detector": peer.detector}
        return about, lambda bgr, _: process(bgr), dict
    config = NamedEngine(**asked["settings"])
    exact = config.this_file or config.engine != "auto"
    model = manifest.model_path(config.model)
    pipeline = Pipeline(config, session=load(model, config.runtime_options) if exact else None)
    session = pipeline.session
    about = {
        "model": session.metadata.name,
        "runtime": f"{session.runtime} {session.provider}",
        "detector": pipeline.detector,
    }
    return about, lambda bgr, stamp: len(pipeline.process(bgr, stamp)), lambda: pipeline.stage_seconds


def _warm_up(way: Callable[[np.ndarray, float], int], video: Path) -> None:
    """The first frames, with stamps before the video's own, so that its first frame finds nobody known."""
    capture = cv2.VideoCapture(str(video))
    for index in range(WARM_UP_FRAMES):
        there, bgr = capture.read()
        if not there:
            break
        way(bgr, index / 30.0 - 1000.0)
    capture.release()


if __name__ == "__main__":
    sys.exit(main())
