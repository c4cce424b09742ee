"""`lightfer benchmark realtime`: how fast and how well people are followed, beside the paper's pipeline."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.benchmark import (
    backgrounds,
    cutout,
    track_scenarios,
    track_video,
    turned_heads,
    turning_people,
    walkers,
)
from lightfer_ros.benchmark.clips import CLIPS
from lightfer_ros.benchmark.machine import machine
from lightfer_ros.benchmark.paper_pipeline import PaperPipeline
from lightfer_ros.benchmark.race_result import SIDES_PX, Measured, measure_video
from lightfer_ros.benchmark.truth import Truth, read_truth
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import manifest
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.perception.settings import settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark realtime`."""
    parser.add_argument(
        "--video",
        type=Path,
        help="a video with --truth; default: the scenarios, made here once, and the fetched clips",
    )
    parser.add_argument("--truth", type=Path, help="who is where in each frame of the video, JSON")
    parser.add_argument("--scenario", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of our pipeline, which has one thread",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON list, an object a video; no table")


def run(args: argparse.Namespace) -> int:
    """Measure every video and print the table, or the JSON."""
    if (args.video is None) != (args.truth is None):
        raise ConfigurationError("--video and --truth belong together: one is given, the other is missing")
    config = configured(args.set)
    out = sys.stderr if args.json else sys.stdout
    where = machine()
    print(f"{where['processor']}, {where['cores']} cores, one used; Python {where['python']}", file=out)
    paper, measured = PaperPipeline(), []
    with Pipeline(config) as ours:
        print(
            f"paper: dlib HOG, Xception FP32 (random weights, only speed is asked); ours: {config}", file=out
        )
        print(HEAD, file=out, flush=True)
        for name, video, truth in _videos(args):
            result = measure_video(name, video, truth, paper, ours)
            measured.append(result)
            print(line(result), file=out, flush=True)
    if args.json:
        print(json.dumps([to_json(result.row) for result in measured], indent=2))
    else:
        print_details(measured)
    return 0


def configured(assignments: Sequence[str]) -> PipelineConfig:
    """The default settings, on one thread, but for `name=value` words.

    Raises ConfigurationError naming what is wrong.
    """
    known = settings_of(PipelineConfig)
    values: dict[str, Any] = {"threads": 1}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in known:
            raise ConfigurationError(f"--set {assignment}: expected NAME=VALUE; names: {', '.join(known)}")
        kind = known[name].kind
        try:
            values[name] = text == "true" if kind is bool and text in ("true", "false") else kind(text)
        except ValueError:
            raise ConfigurationError(f"{name} is {text!r}, expected {known[name].allowed}") from None
    if values["threads"] != 1:
        raise ConfigurationError(f"threads is {values['threads']}, expected 1: one thread is measured")
    return PipelineConfig(**values)


def to_json(row: Any) -> dict[str, Any]:
    """A row, a dataclass, as JSON takes it: four digits behind the point, null where there was
    nothing to measure and for what is infinite."""
    return {
        name: (round(value, 4) if math.isfinite(value) else None) if isinstance(value, float) else value
        for name, value in asdict(row).items()
    }


HEAD = (
    f"{'video':16}{'faces':>6}{'paper ms':>9}{'ms':>7}{'p50':>7}{'p99':>7}{'speed-up':>9}"
    f"{'recall (paper)':>16}{'precision':>16}{'NME':>7}"
    f"{'IDF1':>7}{'MOTA':>7}{'switches':>9}{'fragm.':>7}{'class./s':>9}{'found after ms':>20}"
)


def line(measured: Measured) -> str:
    """A video's line of the table."""
    row, tracking = measured.row, measured.tracking
    return (
        f"{row.video:16}{row.faces:6}{row.paper_ms:9.1f}{row.ms:7.2f}"
        f"{measured.run.percentile_ms(50):7.2f}{measured.run.percentile_ms(99):7.2f}{row.speedup:8.1f}×"
        f"{row.recall:8.3f} ({row.paper_recall:.3f}){row.precision:8.3f} ({row.paper_precision:.3f})"
        f"{row.landmark_nme:7.3f}{row.idf1:7.3f}{tracking.mota:7.3f}{row.id_switches:9}"
        f"{tracking.fragmentations:7}{row.classifications_per_second:9.1f}"
        f"{measured.found_after_ms:12.0f} ({measured.paper_found_after_ms:.0f})"
    )


def print_details(measured: Sequence[Measured]) -> None:
    """Where our time goes, how busy the machine was, recall by size, how far followed landmarks are off."""
    print("\nms a frame by stage, mean over all frames")
    for one in measured:
        stages = "  ".join(f"{name} {1000 * np.mean(each):.2f}" for name, each in one.run.stages.items())
        print(f"{one.row.video:16}  {stages}")
    print("\nms of processor time a frame: what a machine with nothing else to do would show")
    for one in measured:
        paper_cpu, cpu = (1000 * np.mean(each.cpu_seconds) for each in (one.paper_run, one.run))
        busy = 100 * (1 - sum(one.run.cpu_seconds) / sum(one.run.seconds))
        print(
            f"{one.row.video:16}  paper {paper_cpu:.1f}  ours {cpu:.2f}  speed-up {paper_cpu / cpu:.1f}×  "
            f"waited for the processor {busy:.0f} % of the time"
        )
    print("\nrecall by the side of the face's box")
    for index, (low, high) in enumerate(pairwise(SIDES_PX)):
        found, truths = (sum(one.by_side[index][part] for one in measured) for part in (0, 1))
        papers = sum(one.paper_by_side[index][0] for one in measured)
        if truths:
            name = f"{low}–{high} px" if high < SIDES_PX[-1] else f"{low} px and more"
            print(f"{name:16}{truths:7} faces  ours {found / truths:.3f}  paper {papers / truths:.3f}")
    drift = np.concatenate([one.nme for one in measured])
    if len(drift):
        print(
            f"\nlandmarks of {len(drift)} followed faces: NME {drift.mean():.3f}, "
            f"p95 {np.percentile(drift, 95):.3f}, above 0.10: {100 * (drift > 0.10).mean():.1f} %"
        )


def _videos(args: argparse.Namespace) -> Iterator[tuple[str, Path, Truth]]:
    if args.video is not None:
        yield args.video.name, args.video, read_truth(args.truth)
        return
    for name in args.scenario or (*track_scenarios.SCENARIOS, *CLIPS):
        if name in CLIPS:
            yield name, manifest.find(name), CLIPS[name].truth()
            continue
        video = _folder() / f"{name}.mp4"
        truth = video.with_suffix(".json")
        if not (video.is_file() and truth.is_file()):
            video.parent.mkdir(parents=True, exist_ok=True)
            track_video.make_video(name, video, truth)
        yield name, video, read_truth(truth)


_MAKERS = (backgrounds, cutout, track_scenarios, track_video, turned_heads, turning_people, walkers)


def _folder() -> Path:
    """Where made videos are kept: a folder of the user's cache for each state of the code that makes them."""
    makers = (Path(module.__file__ or "") for module in _MAKERS)
    state = hashlib.sha256(b"".join(path.read_bytes() for path in makers))
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "lightfer" / "benchmark" / state.hexdigest()[:12]
