"""The paper's pipeline and ours on the same frames, in turns: what each reports, and how long each takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from lightfer_ros.benchmark.paper_pipeline import PaperPipeline
from lightfer_ros.errors import SourceError
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.pipeline import Pipeline

TURN = 15
"""Frames after which the other has its turn: what else the machine does hits both alike."""


@dataclass
class Run:
    """What one pipeline did, frame by frame. stages: a stage → its seconds, 0 where it did not run.

    cpu_seconds: processor time of the thread; where it is far below `seconds`, others were at work here.
    """

    faces: list[Faces] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    @property
    def mean_ms(self) -> float:
        """Mean milliseconds of a frame; a frame that scans costs more than one that follows, so no median."""
        return 1000.0 * float(np.mean(self.seconds))

    def percentile_ms(self, percent: float) -> float:
        """Milliseconds that this share of the frames stays below."""
        return 1000.0 * float(np.percentile(self.seconds, percent))


def race(video: Path, fps: float, paper: PaperPipeline, ours: Pipeline) -> tuple[Run, Run]:
    """Run both over a video, its frames decoded beforehand, `fps` of them to a second of the stamps.

    Returns the paper's run and ours. Raises SourceError where the video cannot be read.
    """
    warm_up = list(islice(pictures(video), TURN))
    if not warm_up:
        raise SourceError(f"{video}: no picture can be read from it")
    for index, bgr in enumerate(warm_up):
        paper.process(bgr)
        ours.process(bgr, index / fps)
    ours.reset()
    runs = Run(), Run()
    source = pictures(video)
    first = 0
    while turn := list(islice(source, TURN)):
        stamps = [(first + index) / fps for index in range(len(turn))]
        contestants: list[tuple[Run, Callable[[np.ndarray, float], Faces], Pipeline | None]] = [
            (runs[0], lambda bgr, _: paper.process(bgr), None),
            (runs[1], ours.process, ours),
        ]
        # Who comes second finds the frames in the cache, so they take turns in that as well.
        for run, process, staged in contestants if first // TURN % 2 == 0 else contestants[::-1]:
            for bgr, stamp in zip(turn, stamps, strict=True):
                start, cpu_start = time.perf_counter(), time.thread_time()
                faces = process(bgr, stamp)
                if staged is not None:
                    staged.refine()
                run.seconds.append(time.perf_counter() - start)
                run.cpu_seconds.append(time.thread_time() - cpu_start)
                run.faces.append(faces)
                if staged is not None:
                    _add_stages(run, staged.stage_seconds)
        first += len(turn)
    return runs


def pictures(video: Path) -> Iterator[np.ndarray]:
    """The frames of a video, uint8 [h, w, 3] BGR; none where it cannot be read."""
    capture = cv2.VideoCapture(str(video))
    try:
        while True:
            ok, bgr = capture.read()
            if not ok:
                return
            yield bgr
    finally:
        capture.release()


def _add_stages(run: Run, seconds: dict[str, float]) -> None:
    for stage in dict.fromkeys([*run.stages, *seconds]):
        before = run.stages.setdefault(stage, [0.0] * (len(run.faces) - 1))
        before.append(seconds.get(stage, 0.0))
