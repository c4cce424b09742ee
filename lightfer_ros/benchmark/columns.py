"""Rows of a benchmark as lines of text, as Markdown and as HTML, from one declaration of their columns."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

NOTHING = "–"
"""Stands where nothing was measured."""


@dataclass(frozen=True)
class Column:
    """One column: its head, how a row's cell is written, its width in text; `left` where it begins there."""

    head: str
    cell: Callable[[Any], str]
    width: int
    left: bool = False

    def text(self, content: str) -> str:
        """The content at the column's place; what is too long keeps one space of distance."""
        return content.ljust(self.width) if self.left else content.rjust(self.width)


def number(value: float | None, digits: int = 1) -> str:
    """A number with so many decimals, or the sign for nothing."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def head_line(columns: Sequence[Column]) -> str:
    """The heads as a line of text."""
    return " ".join(column.text(column.head) for column in columns).rstrip()


def text_line(columns: Sequence[Column], row: Any) -> str:
    """A row as a line of text."""
    return " ".join(column.text(column.cell(row)) for column in columns).rstrip()


def markdown(columns: Sequence[Column], rows: Iterable[Any]) -> str:
    """The rows as a table in Markdown."""
    lines = [[column.head for column in columns], ["---" if column.left else "---:" for column in columns]]
    lines += [[column.cell(row).replace("|", "\\|") for column in columns] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def html_table(columns: Sequence[Column], rows: Iterable[Any]) -> str:
    """The rows as a table in HTML."""

    def line(cells: Iterable[str], tag: str) -> str:
        sides = ["left" if column.left else "right" for column in columns]
        parts = (
            f'<{tag} class="{side}">{html.escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells)  # noqa: B905
        )
        return f"<tr>{''.join(parts)}</tr>"

    head = line([column.head for column in columns], "th")
    body = "\n".join(line([column.cell(row) for column in columns], "td") for row in rows)
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
