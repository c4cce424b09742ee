"""`lightfer benchmark study`: finished training runs side by side: what each kind of pruning buys."""

from __future__ import annotations

import argparse
import gzip
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.benchmark import report
from lightfer_ros.benchmark.columns import Column, number
from lightfer_ros.errors import DataError, SourceError

TIMED_RUNS = 100


@dataclass(frozen=True)
class Row:
    """One network. Rates are fractions, the interval is 95 %; sizes in MB (10^6 bytes) of the FP32 ONNX file.

    ms: processor time of one face in ONNX Runtime on one thread, median.
    """

    network: str
    ratio: float
    epochs: int
    accuracy: float
    low: float
    high: float
    macro_f1: float
    parameters: int
    mmacs: float
    megabytes: float
    gzipped: float
    ms: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


COLUMNS = (
    Column("network", lambda row: row.network, 34, left=True),
    Column("R", lambda row: number(row.ratio, 2), 6),
    Column("epochs", lambda row: str(row.epochs), 6),
    Column("accuracy %", lambda row: number(100 * row.accuracy, 2), 10),
    Column("95 %", lambda row: f"{100 * row.low:.1f}–{100 * row.high:.1f}", 9),
    Column("macro F1 %", lambda row: number(100 * row.macro_f1, 2), 10),
    Column("parameters", lambda row: f"{row.parameters:,}", 11),
    Column("MMACs", lambda row: number(row.mmacs), 7),
    Column("MB", lambda row: number(row.megabytes, 2), 6),
    Column("gzipped MB", lambda row: number(row.gzipped, 2), 10),
    Column("ms", lambda row: number(row.ms, 2), 6),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark study`."""
    add = parser.add_argument
    add(
        "runs",
        nargs="+",
        type=Path,
        metavar="RUN",
        help="folders of `lightfer train`, each with an FP32 .onnx of `lightfer export` somewhere in it",
    )
    add("--data", type=Path, required=True, metavar="PATH", help="as for `lightfer evaluate`")
    add("--split", default="PublicTest", metavar="NAME", help="default %(default)s")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print one JSON list of rows at the end")
    how.add_argument("--markdown", action="store_true", help="print a table in Markdown at the end")


def run(args: argparse.Namespace) -> int:
    """Print a row for every network; 0 when all could be measured."""
    from lightfer_ros.evaluation.readers import read_faces

    progress = report.Progress(args, COLUMNS)
    progress.say(report.machine_words())
    faces = read_faces(args.data, args.split)
    rows = []
    for folder in args.runs:
        rows.append(_measure(_record(folder), _file(folder), faces))
        progress.row(rows[-1])
    report.tell(args, COLUMNS, rows)
    return 0


def _name(record: dict[str, Any]) -> str:
    recipe = record["recipe"]
    how, prune = f"width {recipe['network']['width']:g}", recipe["prune"]
    if prune["ratio"]:
        zeros = " by zeros" if prune.get("what") == "weights" else ""
        how = f"pruned from {how} to R = {prune['ratio']:g}{zeros}"
    return f"{recipe['name']}: {how}"


def _record(run_folder: Path) -> dict[str, Any]:
    path = run_folder / "run.json"
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); expected that of `lightfer train`") from None
    return record


def _file(run_folder: Path) -> Path:
    found = sorted(run_folder.rglob("*-fp32.onnx"))
    if len(found) != 1:
        command = (
            f"lightfer export --model {run_folder}/network.keras --kinds fp32 --out {run_folder}/export …"
        )
        raise SourceError(f"{run_folder}: {len(found)} files end with -fp32.onnx, expected one: {command}")
    return found[0]


def _measure(record: dict[str, Any], path: Path, faces: Any) -> Row:
    from lightfer_ros.compression.graph import Conv, Dense
    from lightfer_ros.compression.prepare import read_float
    from lightfer_ros.compression.ratio import count_layers
    from lightfer_ros.compression.reference import published_layers
    from lightfer_ros.evaluation.answers import to_inputs
    from lightfer_ros.evaluation.evaluate import evaluate
    from lightfer_ros.runtimes import RuntimeOptions, load

    name = _name(record)
    network, _ = read_float(path)
    counts = count_layers(network)
    zeros = sum(int((op.kernel == 0).sum()) for op in network.operations if isinstance(op, (Conv, Dense)))
    total = sum(c.total for c in counts.values()) - zeros
    with load(path, RuntimeOptions(runtime="onnxruntime")) as session:
        scores = evaluate(session, faces, name).scores
        one = to_inputs(faces.images[:1], session.metadata)
        ms = float(np.median([_milliseconds(session, one) for _ in range(TIMED_RUNS)]))
    content = path.read_bytes()
    return Row(
        network=name,
        ratio=sum(c.total for c in published_layers(network).values()) / total,
        epochs=int(record["epochs_done"]),
        accuracy=scores.accuracy,
        low=scores.accuracy_interval[0],
        high=scores.accuracy_interval[1],
        macro_f1=scores.macro_f1,
        parameters=sum(c.weights for c in counts.values()) - zeros,
        mmacs=sum(c.macs for c in counts.values()) / 1e6,
        megabytes=len(content) / 1e6,
        gzipped=len(gzip.compress(content, 6)) / 1e6,
        ms=ms,
    )


def _milliseconds(session: Any, one: np.ndarray) -> float:
    start = time.process_time()
    session.run(one)
    return 1e3 * (time.process_time() - start)
