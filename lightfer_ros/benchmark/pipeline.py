"""`lightfer benchmark pipeline`: the whole way of a frame over a video, beside its peers."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightfer_ros.benchmark import report
from lightfer_ros.benchmark.cell import register_extra
from lightfer_ros.benchmark.cells import EXTRA_RUNTIMES
from lightfer_ros.benchmark.columns import Column, html_table, number
from lightfer_ros.benchmark.engines import build_engines
from lightfer_ros.benchmark.options import (
    add_video_arguments,
    check_page,
    check_pipeline_threads,
    check_runtimes,
    video_file,
)
from lightfer_ros.benchmark.page import Section, update_page
from lightfer_ros.benchmark.pipeline_run import OURS, PipelineRow, measure
from lightfer_ros.benchmark.plots import stacked_bars
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import AUTO, DETECTORS
from lightfer_ros.runtimes.fastest import engine_source

COLUMNS = (
    Column("pipeline", lambda row: row.name, 24, left=True),
    Column("frames", lambda row: number(row.frames, 0), 6),
    Column("faces", lambda row: number(row.faces, 2), 5),
    Column("FPS", lambda row: number(row.fps), 6),
    Column("p50 ms", lambda row: number(row.p50_ms, 2), 7),
    Column("p99 ms", lambda row: number(row.p99_ms, 2), 7),
    Column("CPU ms", lambda row: number(row.cpu_ms, 2), 7),
    Column("CPU %", lambda row: number(row.machine_percent), 6),
    Column("MB", lambda row: number(row.memory_mb, 0), 6),
    Column("memory %", lambda row: number(row.memory_percent), 8),
    Column("GPU MB", lambda row: number(row.gpu_memory_mb, 0), 6),
    Column("power mW", lambda row: number(row.power_mw, 0), 8),
    Column("", lambda row: row.error or "", 0, left=True),
)
PEER_NAMES = ("paper", "haar", "fer")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark pipeline`."""
    add = parser.add_argument
    add_video_arguments(parser)
    add("--model", default="default", help="classifier by name or path (default: default)")
    add("--detector", default="auto", help="auto (default), yunet or dlib_hog")
    add("--threads", type=int, default=1, help="of the pipeline (default: 1)")
    add(
        "--runtime",
        nargs="+",
        default=["auto"],
        metavar="NAME",
        help="a row for each: auto (default), onnxruntime, tensorrt, litert",
    )
    add(
        "--peers",
        nargs="*",
        default=list(PEER_NAMES),
        metavar="NAME",
        choices=PEER_NAMES,
        help="beside which others: paper, haar, fer (default: all); without a name: none",
    )
    add("--no-build", action="store_true", help="build no TensorRT engine that is missing")
    report.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run every pipeline over the video, one after the other; 0 also where one cannot run here."""
    register_extra(EXTRA_RUNTIMES)
    video = video_file(args)
    check_pipeline_threads(args.threads)
    check_page(args)
    check_runtimes(args.runtime, or_auto=True)
    if args.detector not in (AUTO, *DETECTORS):
        raise ConfigurationError(
            f"--detector is {args.detector!r}, expected one of {', '.join((AUTO, *DETECTORS))}"
        )
    source = engine_source(manifest.model_path(args.model))
    progress = report.Progress(args, COLUMNS)
    about = [report.machine_words(), f"video {video}"]
    for line in about:
        progress.say(line)
    if "tensorrt" in args.runtime and not args.no_build:
        build_engines([source], [], progress)
    progress.say("")
    rows = []
    for name, way, settings in _ways(args, source):
        progress.now(f"{name} …")
        rows.append(measure(name, video, way, settings, args.frames))
        progress.row(rows[-1])
    notes = endnotes(rows)
    for line in notes:
        progress.say(line)
    report.tell(args, COLUMNS, rows)
    if not args.no_html:
        update_page(args.html, section("pipeline", "Whole pipeline", about + notes, rows))
        progress.say(f"page: {args.html}")
    return 0


def _ways(args: argparse.Namespace, source: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Names, ways and settings of all rows. source: the file that TensorRT takes instead of the model."""
    settings = {"detector": args.detector, "threads": args.threads}
    ours = [
        (
            "LightFER" if name == "auto" else f"LightFER, {name}",
            OURS,
            {**settings, "engine": name, "model": str(source) if name == "tensorrt" else args.model},
        )
        for name in args.runtime
    ]
    return [*ours, *((name, name, {}) for name in args.peers)]


def endnotes(rows: Sequence[PipelineRow]) -> list[str]:
    """What the power is the power of, what ran where, and the stages, in words."""
    lines = []
    for row in rows:
        if row.error is None:
            stages = "  ".join(f"{name} {taken:.2f}" for name, taken in row.stages_ms.items())
            lines.append(
                f"{row.name}: {row.model} in {row.runtime}, detector {row.detector}; ms a frame: {stages}"
            )
    for reason in dict.fromkeys(row.power_of for row in rows if row.power_of):
        lines.append(f"power: {reason}" + ("" if reason.startswith("not") else ", idle share included"))
    return lines


def section(name: str, title: str, about: Sequence[str], rows: Sequence[PipelineRow]) -> Section:
    """The page's section: all rows, and where the time of a frame goes."""
    bars = {row.name: _with_rest(row) for row in rows if row.error is None}
    plots = stacked_bars(
        bars, "ms a frame, mean", "Where the time of a frame goes; rest is what no stage names."
    )
    return Section(name, title, about, [html_table(COLUMNS, rows)], plots)


def _with_rest(row: PipelineRow) -> dict[str, float]:
    """The stages, and what of a frame's mean time is in none of them."""
    stages = dict(row.stages_ms)
    rest = 1000.0 / float(row.fps or 1.0) - sum(stages.values())
    return {**stages, "rest": max(0.0, rest)}
