"""The plots of `benchmark.html`, drawn with matplotlib as SVG."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lightfer_ros.benchmark.page import Plot

SIZE_INCHES = (6.0, 3.6)


@dataclass(frozen=True)
class Point:
    """One mark of a scatter plot."""

    x: float
    y: float
    label: str


def scatter(points: Sequence[Point], x_axis: str, y_axis: str, caption: str) -> list[Plot]:
    """Labelled marks; both axes in words with units. No plot without points or without matplotlib."""
    figure = _figure() if points else None
    if figure is None:
        return []
    axes = figure.add_subplot()
    right = max(point.x for point in points)
    for point in points:
        axes.plot(point.x, point.y, "o")
        place = (
            {"xytext": (5, 4), "ha": "left"} if point.x <= right / 2 else {"xytext": (-5, 4), "ha": "right"}
        )
        axes.annotate(point.label, (point.x, point.y), textcoords="offset points", fontsize=8, **place)
    axes.set_xlabel(x_axis)
    axes.set_ylabel(y_axis)
    axes.set_xlim(0, 1.1 * right or 1)
    axes.margins(y=0.2)
    axes.grid(alpha=0.3)
    return [Plot(_svg(figure), caption)]


def stacked_bars(bars: Mapping[str, Mapping[str, float]], x_axis: str, caption: str) -> list[Plot]:
    """A horizontal bar each, made of named parts. No plot without bars or without matplotlib."""
    figure = _figure() if bars else None
    if figure is None:
        return []
    axes = figure.add_subplot()
    names = list(dict.fromkeys(name for parts in bars.values() for name in parts))
    left = [0.0] * len(bars)
    for name in names:
        widths = [parts.get(name, 0.0) for parts in bars.values()]
        axes.barh(list(bars), widths, left=left, label=name)
        left = [left[i] + widths[i] for i in range(len(left))]
    axes.invert_yaxis()
    axes.set_xlabel(x_axis)
    axes.legend(fontsize=8, ncol=min(len(names), 4), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return [Plot(_svg(figure), caption)]


def _figure() -> Any:
    """An empty figure that needs no screen, or None where matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    return Figure(figsize=SIZE_INCHES, layout="constrained")


def _svg(figure: Any) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return text.getvalue()[text.getvalue().index("<svg") :]
