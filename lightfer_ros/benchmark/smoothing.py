"""`lightfer benchmark smoothing`: how much steadier labels become, and how soon they follow a change."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lightfer_ros.benchmark import track_video
from lightfer_ros.benchmark.expression_videos import BETWEEN, FAR_PX, SPLICES, Frames, held, spliced
from lightfer_ros.benchmark.realtime import configured, to_json
from lightfer_ros.benchmark.scenes import RATE
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import EMOTIONS
from lightfer_ros.perception.pipeline import Pipeline

STEADY = "six_faces"
"""The scenario whose people do not change their expression while they move."""


@dataclass(frozen=True)
class Row:
    """One video, with and without smoothing; NaN where there is nothing to measure.

    changes_per_minute: of a face's label. followed_after_s: the longest time from a splice until the label is
    right for the rest of the part. accuracy: the share of frames with a known expression that are named so.
    """

    video: str
    frames: int
    changes_per_minute: float
    unsmoothed_changes_per_minute: float
    followed_after_s: float
    unsmoothed_followed_after_s: float
    accuracy: float
    unsmoothed_accuracy: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark smoothing`."""
    parser.add_argument("--part", type=float, default=2.0, help="seconds between two splices (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="other noise, other unrest (%(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the pipeline"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, an object a video")


def run(args: argparse.Namespace) -> int:
    """Measure, and print the table or the JSON."""
    if not 1.0 <= args.part <= 60.0:
        raise ConfigurationError(f"--part is {args.part:g}, expected 1 to 60 seconds")
    config = configured(args.set)
    if config.smoothing_time_constant_s == 0.0:
        raise ConfigurationError("smoothing_time_constant_s is 0, expected more: nothing would be smoothed")
    rows = []
    with (
        Pipeline(config) as smoothed,
        Pipeline(dataclasses.replace(config, smoothing_time_constant_s=0.0)) as unsmoothed,
    ):
        if not args.json:
            print(f"time constant {config.smoothing_time_constant_s:g} s (without smoothing)\n{HEAD}")
        for name, frames in videos(args.part, args.seed):
            rows.append(measured(name, frames, smoothed, unsmoothed))
            if not args.json:
                print(line(rows[-1]), flush=True)
    if args.json:
        json.dump([to_json(row) for row in rows], sys.stdout, indent=2)
        print()
    return 0


HEAD = f"{'video':24}{'frames':>8}{'changes a minute':>20}{'followed after s':>20}{'accuracy':>18}"


def line(row: Row) -> str:
    """A video's line of the table."""
    changes = f"{row.changes_per_minute:.1f} ({row.unsmoothed_changes_per_minute:.1f})"
    followed, accuracy = "", ""
    if not math.isnan(row.accuracy):
        followed = f"{row.followed_after_s:.2f} ({row.unsmoothed_followed_after_s:.2f})"
        accuracy = f"{row.accuracy:.3f} ({row.unsmoothed_accuracy:.3f})"
    return f"{row.video:24}{row.frames:8}{changes:>20}{followed:>20}{accuracy:>18}"


def videos(part_s: float, seed: int) -> Iterator[tuple[str, Frames]]:
    """The steady faces, those between two expressions, and each clip spliced, near and far."""
    scenario = track_video.frames(STEADY, seed)
    yield STEADY, ((index / RATE, picture, "") for index, (picture, _) in enumerate(scenario))
    yield "between", held(*BETWEEN, seed)
    for clip in SPLICES:
        yield clip, spliced(clip, part_s, seed)
        yield f"{clip}, {FAR_PX} px", spliced(clip, part_s, seed, FAR_PX)


def measured(name: str, frames: Frames, smoothed: Pipeline, unsmoothed: Pipeline) -> Row:
    """Show every frame to both, and count."""
    smoothed.reset()
    unsmoothed.reset()
    stamps: list[float] = []
    truth: list[str] = []
    said: tuple[list[dict[int, str]], list[dict[int, str]]] = ([], [])
    for stamp, picture, expression in frames:
        stamps.append(stamp)
        truth.append(expression)
        for pipeline, labels in zip((smoothed, unsmoothed), said, strict=True):
            faces = pipeline.process(picture, stamp)
            pairs = zip(faces.track_id.tolist(), faces.label.tolist(), strict=True)
            labels.append({track_id: EMOTIONS[label] for track_id, label in pairs})
    after, before = (follows(stamps, truth, one(labels)) for labels in said)
    return Row(
        video=name,
        frames=len(stamps),
        changes_per_minute=changes_per_minute(stamps, said[0]),
        unsmoothed_changes_per_minute=changes_per_minute(stamps, said[1]),
        followed_after_s=after,
        unsmoothed_followed_after_s=before,
        accuracy=accuracy(truth, one(said[0])),
        unsmoothed_accuracy=accuracy(truth, one(said[1])),
    )


def one(labels: Sequence[Mapping[int, str]]) -> list[str]:
    """What is said in each frame of the one who is in it, "" of nobody or of several."""
    return [next(iter(said.values())) if len(said) == 1 else "" for said in labels]


def changes_per_minute(stamps: Sequence[float], labels: Sequence[Mapping[int, str]]) -> float:
    """How often the label of a face changes, of all faces and all time that they are in view."""
    changes, seconds = 0, 0.0
    for index in range(1, len(labels)):
        both = labels[index - 1].keys() & labels[index].keys()
        changes += sum(labels[index - 1][face] != labels[index][face] for face in both)
        seconds += len(both) * (stamps[index] - stamps[index - 1])
    return 60.0 * changes / seconds if seconds else float("nan")


def follows(stamps: Sequence[float], truth: Sequence[str], said: Sequence[str]) -> float:
    """The longest time from a splice until what is said is right for the rest of the part; infinite where it
    never is."""
    splices = [i for i in range(1, len(truth)) if truth[i] != truth[i - 1]]
    waits = []
    for first, behind in pairwise([*splices, len(truth)]):
        wrong = [i for i in range(first, behind) if said[i] != truth[i]]
        right = wrong[-1] + 1 if wrong else first
        waits.append(stamps[right] - stamps[first] if right < behind else float("inf"))
    return max(waits, default=float("nan"))


def accuracy(truth: Sequence[str], said: Sequence[str]) -> float:
    """The share of the frames whose expression is known in which it is said."""
    known = [(t, s) for t, s in zip(truth, said, strict=True) if t]
    return float(np.mean([t == s for t, s in known])) if known else float("nan")
