"""What a race shows: how fast both pipelines are, and how well they find and follow people."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightfer_ros.benchmark.paper_pipeline import PaperPipeline
from lightfer_ros.benchmark.race import Run, race
from lightfer_ros.benchmark.tracking_metrics import (
    Match,
    Tracking,
    frames_until_found,
    landmark_nme,
    match_frames,
    measure,
    recall_by_side,
)
from lightfer_ros.benchmark.truth import TrackedBoxes, Truth
from lightfer_ros.errors import DataError
from lightfer_ros.perception.faces import TRACKED, Faces
from lightfer_ros.perception.pipeline import Pipeline

SIDES_PX = (0, 40, 60, 80, 120, 180, 10_000)

SHORTEST_VIEW_S = 1.0
"""A face that is in view for less has no rate of classifications worth telling."""


@dataclass(frozen=True)
class Row:
    """One video's numbers. faces: most at once. ms: means of a frame. NaN where there is nothing to measure.

    landmark_nme: followed faces against what the paper's pipeline detects afresh in the same frame.
    classifications_per_second: of the face that has the fewest, while it is in view.
    """

    video: str
    faces: int
    paper_ms: float
    ms: float
    paper_fps: float
    fps: float
    speedup: float
    recall: float
    paper_recall: float
    precision: float
    paper_precision: float
    landmark_nme: float
    idf1: float
    id_switches: int
    classifications_per_second: float


@dataclass(frozen=True, eq=False)
class Measured:
    """One video: its row, and what stands behind it."""

    row: Row
    tracking: Tracking
    run: Run
    paper_run: Run
    paper_by_side: Sequence[tuple[int, int]]
    by_side: Sequence[tuple[int, int]]
    nme: np.ndarray
    """float64 [k]: of every followed face that the paper's pipeline found as well."""
    found_after_ms: float
    """How long the face that waited longest was in view before it was found; NaN where none was."""
    paper_found_after_ms: float


def measure_video(name: str, video: Path, truth: Truth, paper: PaperPipeline, ours: Pipeline) -> Measured:
    """Run both pipelines over a video and hold them against its truth, up to the last frame that both have.

    Raises SourceError where the video cannot be read, DataError where truth and video differ in length by
    more than a second.
    """
    paper_run, our_run = race(video, truth.fps, paper, ours)
    count = min(len(our_run.faces), len(truth.frames))
    if max(len(our_run.faces), len(truth.frames)) - count > truth.fps:
        given, expected = len(our_run.faces), len(truth.frames)
        raise DataError(f"{video} has {given} frames, expected {expected} as its truth has")
    true = truth.frames[:count]
    fresh_ids = itertools.count(1)  # the paper follows nobody
    papers = [
        TrackedBoxes(np.array([next(fresh_ids) for _ in found.boxes]), found.boxes)
        for found in paper_run.faces[:count]
    ]
    reported = [TrackedBoxes(found.track_id, found.boxes) for found in our_run.faces[:count]]
    paper_matches, matches = match_frames(true, papers), match_frames(true, reported)
    paper_tracking, tracking = measure(true, papers), measure(true, reported)
    nme = _drift(our_run.faces, matches, paper_run.faces, paper_matches)
    row = Row(
        video=name,
        faces=truth.most_faces,
        paper_ms=paper_run.mean_ms,
        ms=our_run.mean_ms,
        paper_fps=1000.0 / paper_run.mean_ms,
        fps=1000.0 / our_run.mean_ms,
        speedup=paper_run.mean_ms / our_run.mean_ms,
        recall=tracking.recall,
        paper_recall=paper_tracking.recall,
        precision=tracking.precision,
        paper_precision=paper_tracking.precision,
        landmark_nme=float(nme.mean()) if len(nme) else math.nan,
        idf1=tracking.idf1,
        id_switches=tracking.id_switches,
        classifications_per_second=min(
            classification_rates(true, our_run.faces, matches, truth.fps).values(), default=math.nan
        ),
    )
    return Measured(
        row=row,
        tracking=tracking,
        run=our_run,
        paper_run=paper_run,
        paper_by_side=recall_by_side(true, paper_matches, SIDES_PX),
        by_side=recall_by_side(true, matches, SIDES_PX),
        nme=nme,
        found_after_ms=_longest_ms(frames_until_found(true, matches), truth.fps),
        paper_found_after_ms=_longest_ms(frames_until_found(true, paper_matches), truth.fps),
    )


def classification_rates(
    truth: Sequence[TrackedBoxes], faces: Sequence[Faces], matches: Sequence[Match], fps: float
) -> dict[int, float]:
    """Classifications a second of each true face while it is in view, by the age that each report gives.

    Faces in view for less than SHORTEST_VIEW_S are left out. Two reports of one classification count once.
    """
    in_view: dict[int, int] = {}
    newest: dict[int, float] = {}
    fresh: dict[int, int] = {}
    for index, (true, given, match) in enumerate(zip(truth, faces, matches, strict=False)):
        for face in true.ids.tolist():
            in_view[face] = in_view.get(face, 0) + 1
        for i, j in match.pairs:
            face, moment = int(true.ids[i]), index / fps - float(given.classification_age[j])
            # Half a frame apart at least: ages are rounded to float32.
            if moment > newest.get(face, -math.inf) + 0.5 / fps:
                newest[face] = moment
                fresh[face] = fresh.get(face, 0) + 1
    return {
        face: fresh.get(face, 0) * fps / count
        for face, count in in_view.items()
        if count >= SHORTEST_VIEW_S * fps
    }


def _longest_ms(frames: Mapping[int, int], fps: float) -> float:
    return 1000.0 * max(frames.values(), default=math.nan) / fps


def _drift(
    faces: Sequence[Faces], matches: Sequence[Match], papers: Sequence[Faces], paper_matches: Sequence[Match]
) -> np.ndarray:
    errors = [np.empty(0)]
    for given, match, fresh, fresh_match in zip(faces, matches, papers, paper_matches, strict=False):
        partner = dict(fresh_match.pairs.tolist())
        pairs = [
            (j, partner[i]) for i, j in match.pairs.tolist() if i in partner and given.state[j] == TRACKED
        ]
        if pairs:
            ours, theirs = np.array(pairs).T
            errors.append(landmark_nme(given.landmarks[ours], fresh.landmarks[theirs]))
    return np.concatenate(errors)
