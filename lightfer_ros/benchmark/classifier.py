"""`lightfer benchmark classifier`: every engine × precision × batch × threads on one network."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lightfer_ros.benchmark import report
from lightfer_ros.benchmark.cell import TIGHT, register_extra
from lightfer_ros.benchmark.cells import EXTRA_RUNTIMES, Cell, Row, answers, measure, plan
from lightfer_ros.benchmark.classifier_view import COLUMNS, section
from lightfer_ros.benchmark.engines import build_engines
from lightfer_ros.benchmark.faces import faces_for
from lightfer_ros.benchmark.model_files import (
    ModelFile,
    add_model_argument,
    find_model_files,
    how_to_export,
)
from lightfer_ros.benchmark.options import check_page, check_runtimes, check_seconds, check_threads
from lightfer_ros.benchmark.page import update_page
from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.runtimes import runtimes

BATCHES = (1, 2, 4, 8, 16)
MOST_FACES = 256
KINDS = {"onnxruntime": "fp32,int8", "litert": "litert_fp32,litert_fp16,litert_int8", "keras": "keras"}
"""What to have exported for an engine that has no file."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark classifier`."""
    add = parser.add_argument
    add_model_argument(parser)
    add("--runtime", nargs="+", default=[], metavar="NAME", help="only these (default: all)")
    add("--batch", nargs="+", type=int, default=list(BATCHES), metavar="N", help="faces at once")
    add("--threads", nargs="+", type=int, default=default_threads(), metavar="N", help="threads of an engine")
    add("--seconds", type=float, default=3.0, help="longest time of a cell's runs (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the order of the cells (default: %(default)s)")
    add("--no-build", action="store_true", help="build no TensorRT engine that is missing")
    report.add_arguments(parser)


def default_threads() -> list[int]:
    """One, and as many as there are cores, four at most."""
    return sorted({1, min(4, len(os.sched_getaffinity(0)))})


def run(args: argparse.Namespace) -> int:
    """Measure every cell; 0 also where some could not be measured, which their rows say."""
    register_extra(EXTRA_RUNTIMES)
    _check(args)
    files = find_model_files(args.model)
    progress = report.Progress(args, COLUMNS)
    where, faces, what = report.machine_words(), *faces_for(files[0].metadata)
    about = [
        where,
        "files: " + ", ".join(f"{file.path.name} ({file.metadata.precision})" for file in files),
        *_without_files(files, args.runtime),
    ]
    for line in about:
        progress.say(line)
    cells = plan(files, args.runtime, args.batch, args.threads, args.seed)
    if not cells:
        raise ConfigurationError(f"--runtime is {', '.join(args.runtime)}: nothing to measure, see above")
    if not args.no_build:
        build_engines([file.path for file in files], args.runtime, progress)
    with tempfile.TemporaryDirectory(prefix="lightfer-benchmark-") as folder:
        faces_file = Path(folder) / "faces.npy"
        np.save(faces_file, faces)
        labels, compared = _reference(files, faces_file, what)
        about.append(compared)
        progress.say(f"{compared}\n")
        measured = _measure(cells, faces_file, labels, args.seconds, progress)
    rows = [row for _, row in sorted(measured, key=lambda pair: _place(pair[0]))]
    loose = [row for row in rows if row.interval is not None and row.interval > TIGHT]
    if loose:
        progress.say(
            f"\n{len(loose)} of {len(rows)} medians are not known to {TIGHT:.0%} after {args.seconds:g} s "
            "(see ±): give them more --seconds, or the machine more rest"
        )
    report.tell(args, COLUMNS, rows)
    if not args.no_html:
        update_page(args.html, section(about, files, rows))
        progress.say(f"page: {args.html}")
    return 0


def _reference(files: Sequence[ModelFile], faces: Path, what: str) -> tuple[Path | None, str]:
    """The labels of the most precise file that can be opened, a .npy file, and in words whose they are.

    files: the most precise first. faces: a .npy file, beside which the labels are put. what: the faces, in
    words.
    """
    labels, reasons = faces.with_name("labels.npy"), []
    for file in files:
        try:
            answers(file, faces, labels)
        except LightferError as error:
            reasons.append(str(error))
            continue
        np.save(labels, np.load(labels).argmax(axis=1))
        return labels, f"agreement: share of labels as {file.path.name} gives them, on {what}"
    return None, f"agreement: not known, no file can be opened ({'; '.join(reasons)})"


def _measure(
    cells: Sequence[Cell],
    faces: Path,
    labels: Path | None,
    seconds: float,
    progress: report.Progress,
) -> list[tuple[Cell, Row]]:
    done: list[tuple[Cell, Row]] = []
    told: set[str] = set()
    results = measure(cells, faces, labels, seconds)
    for index, cell in enumerate(cells):
        progress.now(
            f"[{index + 1}/{len(cells)}] {cell.runtime} {cell.file.path.name} batch {cell.batch}, "
            f"threads {cell.threads}"
        )
        row = next(results)
        done.append((cell, row))
        if not row.unavailable:
            progress.row(row)
        elif row.error not in told:  # the same reason once, not for every batch
            told.add(str(row.error))
            progress.row(row)
    return done


def _place(cell: Cell) -> tuple[object, ...]:
    names = [runtime.name for runtime in runtimes()]
    return names.index(cell.runtime), str(cell.file.path), cell.threads, cell.batch


def _without_files(files: Sequence[ModelFile], chosen: Sequence[str]) -> list[str]:
    """The engines that have nothing to run, in words."""
    formats = {file.metadata.format for file in files}
    return [
        f"{runtime.name}: not measured, {files[0].network} has no file in {' or '.join(runtime.formats)}"
        + (f"; {how_to_export(files, KINDS[runtime.name])}" if runtime.name in KINDS else "")
        for runtime in runtimes()
        if not formats & set(runtime.formats) and (not chosen or runtime.name in chosen)
    ]


def _check(args: argparse.Namespace) -> None:
    check_page(args)
    check_runtimes(args.runtime)
    check_seconds(args.seconds)
    for threads in args.threads:
        check_threads(threads)
    for batch in args.batch:
        if not 1 <= batch <= MOST_FACES:
            raise ConfigurationError(f"--batch is {batch}, expected 1 to {MOST_FACES}")
