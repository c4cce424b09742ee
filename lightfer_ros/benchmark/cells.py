"""The cells of the classifier's table: which there are, and each measured in a fresh process of its own."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightfer_ros.benchmark.cell import largest_batch
from lightfer_ros.benchmark.model_files import ModelFile
from lightfer_ros.errors import LightferError
from lightfer_ros.runtimes import runtimes

LONGEST_CELL_S = 600.0
"""A process that takes longer hangs: the slowest load seen is an engine inside ONNX Runtime, minutes."""

EXTRA_RUNTIMES = ("lightfer_ros.benchmark.keras_runtime",)
"""Modules with a `register_runtime()`: engines that are the benchmark's alone."""

ROW_KEYS = (
    "runtime", "precision", "batch", "threads", "p50_ms", "p99_ms", "faces_per_s", "load_s", "peak_rss_mb",
    "file_mb", "agreement", "error",
)  # fmt: skip
"""The keys of a row in JSON, all of them always there."""


@dataclass(frozen=True)
class Cell:
    """One engine, one file, one batch, one number of threads."""

    runtime: str
    file: ModelFile
    batch: int
    threads: int


@dataclass(frozen=True)
class Row:
    """What a cell gave, or why it gave nothing: then `error` says so and what was not measured is None.

    faces_per_s: batch · 1000 / p50_ms. load_s: from nothing imported to the first answer. peak_rss_mb: of the
    whole process, MB. agreement: share of faces with the reference's label. interval: see `cell.Timing`.
    unavailable: the engine does not open the file at all, so its other batches fail alike.
    """

    runtime: str
    precision: str
    batch: int
    threads: int
    file_mb: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    faces_per_s: float | None = None
    load_s: float | None = None
    peak_rss_mb: float | None = None
    agreement: float | None = None
    error: str | None = None
    cpu_ms: float | None = None
    interval: float | None = None
    runs: int | None = None
    provider: str | None = None
    unavailable: bool = False

    def to_json(self) -> dict[str, Any]:
        """The row as JSON has it: ROW_KEYS and nothing else, numbers rounded to what was measured."""
        return {key: _rounded(getattr(self, key)) for key in ROW_KEYS}


def plan(
    files: Sequence[ModelFile],
    chosen_runtimes: Sequence[str],
    batches: Sequence[int],
    threads: Sequence[int],
    seed: int,
) -> list[Cell]:
    """Every cell, in an order that the seed shuffles: what else the machine does hits no engine alone."""
    cells = [
        Cell(runtime.name, file, batch, count)
        for runtime, file, batch, count in itertools.product(runtimes(), files, batches, threads)
        if file.metadata.format in runtime.formats
        and (not chosen_runtimes or runtime.name in chosen_runtimes)
    ]
    random.Random(seed).shuffle(cells)
    return cells


def measure(cells: Sequence[Cell], faces: Path, labels: Path | None, seconds: float) -> Iterator[Row]:
    """A row per cell, each as soon as it is measured.

    faces, labels: .npy files, see `cell.measure`. An engine that cannot take a file at all is asked once; one
    that fails with a batch is asked for the others.
    """
    refused: dict[tuple[str, Path, int], str] = {}
    for cell in cells:
        opened = (cell.runtime, cell.file.path, largest_batch(cell.batch))
        reason = refused.get(opened)
        if reason is not None:
            yield _row(cell, error=reason, unavailable=True)
            continue
        row = run_cell(cell, faces, labels, seconds)
        if row.unavailable and row.error is not None:
            refused[opened] = row.error
        yield row


def run_cell(cell: Cell, faces: Path, labels: Path | None, seconds: float) -> Row:
    """Measure one cell in a process of its own; a failure of any kind is a row too."""
    asked = {
        "path": str(cell.file.path),
        "runtime": cell.runtime,
        "threads": cell.threads,
        "batch": cell.batch,
        "seconds": seconds,
        "faces": str(faces),
        "labels": None if labels is None else str(labels),
    }
    told = _ask(asked)
    if "error" in told:
        return _row(cell, error=told["error"], unavailable=told.get("unavailable", False))
    return _row(
        cell,
        faces_per_s=1000.0 * cell.batch / told["p50_ms"],
        **{name: told[name] for name in _TOLD},
    )


def answers(file: ModelFile, faces: Path, target: Path) -> None:
    """Write the probabilities of all faces, float32 [n, 7], as a file gives them. Raises LightferError."""
    asked = {"path": str(file.path), "runtime": "auto", "threads": 1, "batch": 1, "faces": str(faces)}
    told = _ask({**asked, "answers": str(target)})
    if "error" in told:
        raise LightferError(f"reference {file.path.name}: {told['error']}")


_TOLD = ("p50_ms", "p99_ms", "load_s", "peak_rss_mb", "agreement", "cpu_ms", "interval", "runs", "provider")


def _ask(asked: dict[str, Any]) -> dict[str, Any]:
    """What the process answers; `error` in it where it failed in any way."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lightfer_ros.benchmark.cell"],
            input=json.dumps({**asked, "extra": EXTRA_RUNTIMES}),
            capture_output=True,
            text=True,
            timeout=LONGEST_CELL_S,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no result within {LONGEST_CELL_S:g} s"}
    lines = done.stdout.strip().splitlines()  # engines print what they like before the result
    try:
        told: dict[str, Any] = json.loads(lines[-1])
        return told
    except (IndexError, ValueError):
        complaint = done.stderr.strip().splitlines()
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        return {"error": f"the process ended with {how}: {complaint[-1] if complaint else 'no word'}"}


def _row(cell: Cell, **found: Any) -> Row:
    """The row of a cell, with what was found out about it."""
    return Row(
        runtime=cell.runtime,
        precision=cell.file.metadata.precision,
        batch=cell.batch,
        threads=cell.threads,
        file_mb=cell.file.megabytes,
        **found,
    )


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
