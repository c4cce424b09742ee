"""`lightfer benchmark ratios`: what quantization, pruning and the engine are each worth, on one thread."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.benchmark import report
from lightfer_ros.benchmark.architectures import model_file, unpruned_file
from lightfer_ros.benchmark.cell import TIGHT, register_extra
from lightfer_ros.benchmark.cells import EXTRA_RUNTIMES, Cell, Row, run_cell
from lightfer_ros.benchmark.columns import Column, html_table, number
from lightfer_ros.benchmark.model_files import ModelFile, find_model_files, how_to_export
from lightfer_ros.benchmark.options import check_page, check_seconds
from lightfer_ros.benchmark.page import Section, update_page
from lightfer_ros.errors import ConfigurationError, LightferError, ModelError
from lightfer_ros.runtimes.agreement import fixed_input

TITLE = "Ratios: how many times the time of the file in use, one face, one thread"


@dataclass(frozen=True)
class Ratio:
    """A network beside the one in use. cause: what makes the difference.

    p50_ms, cpu_ms: medians over the rounds, of wall and of processor time. times, cpu_times: how many times
    those of the file in use, the median over rounds of the ratio within each.
    """

    name: str
    cause: str
    p50_ms: float | None = None
    cpu_ms: float | None = None
    times: float | None = None
    cpu_times: float | None = None
    peak_rss_mb: float | None = None
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return dict(self.__dict__)


COLUMNS = (
    Column("network", lambda row: row.name, 60, left=True),
    Column("p50 ms", lambda row: number(row.p50_ms, 3), 9),
    Column("CPU ms", lambda row: number(row.cpu_ms, 3), 9),
    Column("times", lambda row: number(row.times, 2), 7),
    Column("CPU times", lambda row: number(row.cpu_times, 2), 9),
    Column("peak MB", lambda row: number(row.peak_rss_mb, 0), 7),
    Column("", lambda row: row.error or row.cause, 0, left=True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark ratios`."""
    add = parser.add_argument
    add("--model", default="default", help="by name or file; its siblings are found (default: default)")
    add("--rounds", type=int, default=5, help="fresh processes for each network (default: 5)")
    add("--seconds", type=float, default=2.0, help="longest time of a process's runs (default: 2)")
    add("--seed", type=int, default=0, help="of the order within the rounds (default: 0)")
    report.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Measure every network in turns; 0 also where one cannot be measured."""
    if args.rounds < 1:
        raise ConfigurationError(f"--rounds is {args.rounds}, expected at least 1")
    check_seconds(args.seconds)
    check_page(args)
    register_extra(EXTRA_RUNTIMES)
    progress = report.Progress(args, COLUMNS)
    about = [report.machine_words(), f"medians of {args.rounds} processes each, in turns"]
    for line in (TITLE, *about):
        progress.say(line)
    contestants, missing = _contestants(find_model_files([args.model]))
    measured: dict[str, list[Row]] = {name: [] for name in contestants}
    shuffle = random.Random(args.seed)
    with tempfile.TemporaryDirectory(prefix="lightfer-benchmark-") as folder:
        for number_of_round in range(args.rounds):
            for name in shuffle.sample(list(contestants), len(contestants)):
                progress.now(f"[round {number_of_round + 1}/{args.rounds}] {name}")
                cell, _ = contestants[name]
                face = Path(folder) / f"{cell.file.metadata.sha256}.npy"
                np.save(face, fixed_input(cell.file.metadata, 1))
                measured[name].append(run_cell(cell, face, None, args.seconds))
    rows = summarize({name: cause for name, (_, cause) in contestants.items()}, measured)
    rows += [Ratio(name, "", error=reason) for name, reason in missing.items()]
    for row in rows:
        progress.row(row)
    loose = [row for each in measured.values() for row in each if (row.interval or 0.0) > TIGHT]
    if loose:
        about.append(
            f"{len(loose)} of {sum(map(len, measured.values()))} medians are not known to {TIGHT:.0%}"
        )
        progress.say(about[-1])
    report.tell(args, COLUMNS, rows)
    if not args.no_html:
        update_page(args.html, Section("ratios", TITLE, about, [html_table(COLUMNS, rows)]))
        progress.say(f"page: {args.html}")
    return 0


def summarize(causes: Mapping[str, str], measured: Mapping[str, Sequence[Row]]) -> list[Ratio]:
    """A row for each name of `causes`, the first of which is the one in use; `measured` has a Row a round."""
    first = next(iter(causes))
    rows = []
    for name, cause in causes.items():
        failed = next((row.error for row in measured[name] if row.error is not None), None)
        if failed is not None:
            rows.append(Ratio(name, cause, error=failed))
            continue
        rows.append(
            Ratio(
                name,
                cause,
                p50_ms=statistics.median(float(row.p50_ms or 0) for row in measured[name]),
                cpu_ms=statistics.median(float(row.cpu_ms or 0) for row in measured[name]),
                times=_times(measured[name], measured[first], "p50_ms"),
                cpu_times=_times(measured[name], measured[first], "cpu_ms"),
                peak_rss_mb=max(float(row.peak_rss_mb or 0) for row in measured[name]),
            )
        )
    return rows


def _times(rows: Sequence[Row], in_use: Sequence[Row], quantity: str) -> float | None:
    """The median over rounds of how many times a quantity is that of the file in use, in the same round."""
    pairs = [(getattr(rows[i], quantity), getattr(in_use[i], quantity)) for i in range(len(rows))]
    ratios = [value / base for value, base in pairs if value is not None and base]
    return statistics.median(ratios) if ratios else None


def _contestants(files: Sequence[ModelFile]) -> tuple[dict[str, tuple[Cell, str]], dict[str, str]]:
    """Each network's cell and the cause of its difference; and what is missing, with the reason."""
    by_kind = {(file.metadata.format, file.metadata.precision): file for file in files}
    onnx = [file for file in files if file.metadata.format == "onnx"]
    if not onnx:
        raise ModelError(f"{files[0].network} has no ONNX file")
    in_use = by_kind.get(("onnx", "int8")) or onnx[0]
    chosen: dict[str, tuple[Cell, str]] = {}

    def add(file: ModelFile, cause: str, runtime: str = "onnxruntime") -> None:
        chosen[f"{file.path.name} in {runtime}"] = Cell(runtime, file, 1, 1), cause

    add(in_use, "the file in use")
    missing: dict[str, str] = {}
    own_float = by_kind.get(("onnx", "fp32")) or by_kind.get(("onnx", "fp16"))
    if own_float is None:
        missing["own float file"] = f"not here: {how_to_export(files, 'fp32')}"
    elif own_float is not in_use:
        add(own_float, "quantization")
    try:
        add(
            _as_file(unpruned_file(in_use.metadata)),
            "fewer channels as well (Xception at full width, same input, FP32, random weights)",
        )
        add(
            _as_file(model_file("Xception")),
            "all together (Xception as published, 71x71, FP32, random weights)",
        )
    except LightferError as error:
        missing["networks with random weights"] = str(error)
    keras = by_kind.get(("keras", "fp32"))
    if keras is None:
        missing["Keras predict"] = f"no .keras file: {how_to_export(files, 'keras')}"
    else:
        add(keras, "the call's overhead as well", "keras")
    return chosen, missing


def _as_file(path: Path) -> ModelFile:
    return find_model_files([str(path)])[0]
