"""`lightfer benchmark table`: the paper's Tables 1 to 4, its rows beside those of this machine."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lightfer_ros.benchmark import report
from lightfer_ros.benchmark.cell import register_extra
from lightfer_ros.benchmark.cells import EXTRA_RUNTIMES
from lightfer_ros.benchmark.columns import html_table
from lightfer_ros.benchmark.engines import build_engines
from lightfer_ros.benchmark.model_files import ModelFile, add_model_argument, find_model_files
from lightfer_ros.benchmark.options import add_video_arguments, check_page, check_threads, video_file
from lightfer_ros.benchmark.page import Section, update_page
from lightfer_ros.benchmark.table_row import TableRow, columns
from lightfer_ros.errors import ConfigurationError

TITLES = {
    1: "Table 1: what each class is called, shares of its faces",
    2: "Table 2: accuracy on FER2013",
    3: "Table 3: networks in the whole pipeline, on a PC",
    4: "Table 4: frameworks and formats in the whole pipeline",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark table`."""
    add = parser.add_argument
    add("number", type=int, choices=sorted(TITLES), help="; ".join(TITLES.values()))
    add_model_argument(parser)
    add("--data", type=Path, help="tables 1 and 2: FER2013's CSV (.csv, .csv.xz), or folders of classes")
    add(
        "--split", metavar="NAME", help="tables 1 and 2: of the data (default: PublicTest of a CSV, else all)"
    )
    add("--with-training", action="store_true", help="table 2: score the split Training as well; long")
    add("--threads", type=int, default=1, help="1, 2: of the engine; 3, 4: of the pipeline (default: 1)")
    add("--no-build", action="store_true", help="table 4: build no TensorRT engine that is missing")
    add_video_arguments(parser)
    report.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the table row by row; 0 also where some rows cannot be made here."""
    register_extra(EXTRA_RUNTIMES)
    check_threads(args.threads)
    check_page(args)
    digits = _digits(args.number)
    shape = columns(digits)
    progress = report.Progress(args, shape)
    about = [report.machine_words()]
    files = find_model_files(args.model)
    for line in (TITLES[args.number], *about):
        progress.say(line)
    given = _rows(args, files, progress)
    rows = []
    for row in given:
        rows.append(replace(row, values={**dict.fromkeys(digits), **row.values}))
        progress.row(row)
    report.tell(args, shape, rows)
    if not args.no_html:
        section = Section(f"table-{args.number}", TITLES[args.number], about, [html_table(shape, rows)])
        update_page(args.html, section)
        progress.say(f"page: {args.html}")
    return 0


def _digits(number: int) -> Mapping[str, int]:
    """The columns of a table, and how many decimals each has."""
    if number in (1, 2):
        from lightfer_ros.benchmark.accuracy_tables import TABLE_1_DIGITS, TABLE_2_DIGITS

        return TABLE_1_DIGITS if number == 1 else TABLE_2_DIGITS
    from lightfer_ros.benchmark.speed_tables import TABLE_3_DIGITS, TABLE_4_DIGITS

    return TABLE_3_DIGITS if number == 3 else TABLE_4_DIGITS


def _rows(
    args: argparse.Namespace, files: Sequence[ModelFile], progress: report.Progress
) -> Iterator[TableRow]:
    if args.number in (1, 2):
        from lightfer_ros.benchmark.accuracy_tables import table_1, table_2

        data, split = _data(args)
        if args.number == 1:
            return table_1(files[0], data, split, args.threads)
        return table_2(files, data, split, args.with_training, args.threads)
    from lightfer_ros.benchmark.speed_tables import engine_files, table_3, table_4

    video = video_file(args)
    if args.number == 3:
        return table_3(files, video, args.frames, args.threads)
    if not args.no_build:
        for file, precision in engine_files(files):
            build_engines([file.path], [], progress, precision)
    return table_4(files, video, args.frames, args.threads)


def _data(args: argparse.Namespace) -> tuple[Path, str | None]:
    if args.data is None:
        raise ConfigurationError(
            f"table {args.number} needs --data: FER2013's CSV as Kaggle has it, or folders of classes"
        )
    if not args.data.exists():
        raise ConfigurationError(f"--data is {args.data}, which does not exist")
    is_csv = ".csv" in args.data.suffixes
    return args.data, args.split or ("PublicTest" if is_csv else None)
