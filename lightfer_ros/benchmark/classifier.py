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
from lightfer_ros.benchmark.model_files import ModelFile, add_model_argument, find_model_files, reference_of
from lightfer_ros.benchmark.page import update_page
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.runtimes import runtimes

BATCHES = (1, 2, 4, 8, 16)


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
    reference = reference_of(files)
    about = [
        where,
        "files: " + ", ".join(f"{file.path.name} ({file.metadata.precision})" for file in files),
        f"agreement: share of labels as {reference.path.name} gives them, on {what}",
        *_without_files(files, args.runtime),
    ]
    for line in about:
        progress.say(line)
    if not args.no_build:
        build_engines(files, args.runtime, progress)
    progress.say("")
    cells = plan(files, args.runtime, args.batch, args.threads, args.seed)
    measured = _measure(cells, faces, reference, args.seconds, progress)
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


def _measure(
    cells: Sequence[Cell],
    faces: np.ndarray,
    reference: ModelFile,
    seconds: float,
    progress: report.Progress,
) -> list[tuple[Cell, Row]]:
    done: list[tuple[Cell, Row]] = []
    told: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="lightfer-benchmark-") as folder:
        faces_file, labels_file = Path(folder) / "faces.npy", Path(folder) / "labels.npy"
        np.save(faces_file, faces)
        answers(reference, faces_file, labels_file)
        np.save(labels_file, np.load(labels_file).argmax(axis=1))
        results = measure(cells, faces_file, labels_file, seconds)
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
        for runtime in runtimes()
        if not formats & set(runtime.formats) and (not chosen or runtime.name in chosen)
    ]


def _check(args: argparse.Namespace) -> None:
    known = [runtime.name for runtime in runtimes()]
    for name in args.runtime:
        if name not in known:
            raise ConfigurationError(f"--runtime is {name!r}, expected one of {', '.join(known)}")
    for option, values, most in (("--batch", args.batch, 256), ("--threads", args.threads, 64)):
        for value in values:
            if not 1 <= value <= most:
                raise ConfigurationError(f"{option} is {value}, expected 1 to {most}")
    if not args.seconds > 0.0:
        raise ConfigurationError(f"--seconds is {args.seconds:g}, expected more than 0")
