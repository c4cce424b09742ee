"""A row of one of the paper's tables: its own figures or ours, in the same columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lightfer_ros.benchmark.columns import Column, number

PAPER, HERE = "paper", "here"


@dataclass(frozen=True)
class TableRow:
    """source: `PAPER` or `HERE`. values: by column, None where there is none. note: what is said behind."""

    name: str
    source: str
    values: Mapping[str, float | None] = field(default_factory=dict)
    note: str = ""
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The row as one flat object."""
        head = {"name": self.name, "source": self.source}
        return {**head, **self.values, "note": self.note, "error": self.error}


def columns(digits: Mapping[str, int]) -> Sequence[Column]:
    """The columns of a table, by their names and how many decimals each has."""
    middle = [_column(name, decimals) for name, decimals in digits.items()]
    return (
        Column("", lambda row: row.name, 25, left=True),
        Column("source", lambda row: row.source, 6, left=True),
        *middle,
        Column("", lambda row: row.error or row.note, 0, left=True),
    )


def _column(name: str, digits: int) -> Column:
    return Column(name, lambda row: number(row.values.get(name), digits), max(len(name), 8))
