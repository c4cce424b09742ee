"""How the classifier's rows are shown: the columns of the table, and the section of the page."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

from collections.abc import Sequence

from lightfer_ros.benchmark.cells import Row
from lightfer_ros.benchmark.columns import NOTHING, Column, html_table, number
from lightfer_ros.benchmark.model_files import ModelFile
from lightfer_ros.benchmark.page import Section
from lightfer_ros.benchmark.plots import Point, scatter
from lightfer_ros.runtimes import runtimes

COLUMNS = (
    Column("runtime", lambda row: row.runtime, 11, left=True),
    Column("precision", lambda row: row.precision, 9, left=True),
    Column("batch", lambda row: str(row.batch), 5),
    Column("threads", lambda row: str(row.threads), 7),
    Column("p50 ms", lambda row: number(row.p50_ms, 3), 9),
    Column("± %", lambda row: number(None if row.interval is None else 100 * row.interval), 5),
    Column("p99 ms", lambda row: number(row.p99_ms, 3), 9),
    Column("CPU ms", lambda row: number(row.cpu_ms, 3), 9),
    Column("faces/s", lambda row: number(row.faces_per_s, 0), 8),
    Column("load s", lambda row: number(row.load_s, 2), 6),
    Column("peak MB", lambda row: number(row.peak_rss_mb, 0), 7),
    Column("file MB", lambda row: number(row.file_mb, 2), 7),
    Column("agreement", lambda row: NOTHING if row.agreement is None else f"{row.agreement:.1%}", 9),
    Column("", lambda row: row.error or "", 0, left=True),
)


def section(about: Sequence[str], files: Sequence[ModelFile], rows: Sequence[Row]) -> Section:
    """The page's section: accuracy against time, size against accuracy, and all rows."""
    fastest = _one_face(rows)
    accuracy = {(file.metadata.format, file.metadata.precision): _accuracy(file) for file in files}
    formats = {runtime.name: runtime.formats for runtime in runtimes()}
    data_set = next(iter(files[0].metadata.accuracy), "")
    against_time = [
        Point(float(row.p50_ms or 0), 100 * known, f"{row.runtime} {row.precision}")
        for row in fastest
        for form in formats.get(row.runtime, ())
        for known in [accuracy.get((form, row.precision))]
        if known is not None
    ]
    against_size = [
        Point(file.megabytes, 100 * known, f"{file.metadata.precision} {file.metadata.format}")
        for file in files
        for known in [_accuracy(file)]
        if known is not None
    ]
    plots = scatter(
        against_time,
        "p50 of one face, ms",
        f"accuracy on {data_set}, %",
        "Accuracy, from each file's metadata, against the time of one face on the fewest threads.",
    )
    plots += scatter(
        against_size,
        "size of the file, MB",
        f"accuracy on {data_set}, %",
        "Accuracy, from each file's metadata, against its size.",
    )
    title = f"Classifier {files[0].network}"
    return Section("classifier", title, about, [html_table(COLUMNS, rows)], plots)


def _one_face(rows: Sequence[Row]) -> list[Row]:
    """Of each engine and precision the row of the smallest batch on the fewest threads."""
    chosen: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: (row.batch, row.threads)):
        if row.p50_ms is not None:
            chosen.setdefault((row.runtime, row.precision), row)
    return list(chosen.values())


def _accuracy(file: ModelFile) -> float | None:
    return next(iter(file.metadata.accuracy.values()), None)
