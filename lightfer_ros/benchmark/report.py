"""Where a benchmark's results go: lines while it runs, then JSON or Markdown on stdout, and the page."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lightfer_ros.benchmark.columns import Column, head_line, markdown, text_line
from lightfer_ros.benchmark.machine import machine
from lightfer_ros.benchmark.page import DEFAULT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how results are told."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print one JSON list of rows at the end")
    how.add_argument("--markdown", action="store_true", help="print a table in Markdown at the end")
    parser.add_argument(
        "--html",
        type=Path,
        default=DEFAULT,
        metavar="PATH",
        help="page with plots, to which each benchmark adds its section (default: %(default)s)",
    )
    parser.add_argument("--no-html", action="store_true", help="write no page")


def machine_words() -> str:
    """The machine, and how busy it was when the benchmark began: what a number needs beside it."""
    about = machine()
    load = os.getloadavg()[0]
    busy = f", BUSY (load {load:.1f}): times are too long" if load > 0.3 * int(about["cores"]) else ""
    return (
        f"{about['processor']}, {about['cores']} cores, {about['memory_mb']} MB, {about['system']}, "
        f"Python {about['python']}{busy}"
    )


class Progress:
    """Prints a row as soon as there is one, and on a terminal what is being measured now.

    Rows go to stdout, or to stderr where stdout is kept for JSON or Markdown.
    """

    def __init__(self, args: argparse.Namespace, columns: Sequence[Column]) -> None:
        self._out = sys.stderr if args.json or args.markdown else sys.stdout
        self._columns = columns
        self._headed = False

    def say(self, text: str) -> None:
        """A line of text."""
        self._clear()
        print(text, file=self._out, flush=True)

    def now(self, text: str) -> None:
        """What is at work, on a line that the next one replaces; only on a terminal."""
        if self._out.isatty():
            self._clear()
            self._out.write(text)
            self._out.flush()

    def row(self, row: Any) -> None:
        """A result."""
        if not self._headed:
            self.say(head_line(self._columns))
            self._headed = True
        self.say(text_line(self._columns, row))

    def _clear(self) -> None:
        if self._out.isatty():
            self._out.write("\r\033[K")


def tell(args: argparse.Namespace, columns: Sequence[Column], rows: Sequence[Any]) -> None:
    """Print all rows as JSON (each by its `to_json`) or Markdown, where that was asked for."""
    if args.json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
    elif args.markdown:
        print(markdown(columns, rows))
