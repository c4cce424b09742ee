"""`lightfer robustness`: accuracy under framing, turns, blur, light, JPEG, small faces, as CSV and plot."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import List, Sequence

from lightfer_ros.evaluation.robustness import CHANGES, Point, measure
from lightfer_ros.files import write_whole
from lightfer_ros.model import manifest

CSV_NAME, PLOT_NAME = "robustness.csv", "robustness.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer robustness`."""
    add = parser.add_argument
    add("--model", default="default", metavar="NAME_OR_FILE", help="default: the model in use")
    add("--data", type=Path, required=True, metavar="PATH", help="as for `lightfer evaluate`")
    add("--split", default="PublicTest", metavar="NAME", help="default %(default)s")
    add("--out", type=Path, required=True, metavar="FOLDER", help=f"for {CSV_NAME} and {PLOT_NAME}")
    add(
        "--changes",
        nargs="+",
        choices=tuple(CHANGES),
        default=list(CHANGES),
        metavar="CHANGE",
        help=f"of {', '.join(CHANGES)}; default: all",
    )


def run(args: argparse.Namespace) -> int:
    """Measure, saying each figure on stderr, and write both files; 0 when they are there."""
    from lightfer_ros.evaluation.readers import read_faces
    from lightfer_ros.runtimes import RuntimeOptions, load

    points: List[Point] = []
    with load(manifest.model_path(args.model), RuntimeOptions()) as session:
        faces = read_faces(args.data, args.split, session.metadata.input_size)
        for point in measure(session, faces, tuple(args.changes)):
            points.append(point)
            print(f"{point.change} {point.strength:g}: {point.accuracy:.4f}", file=sys.stderr, flush=True)
        title = f"{session.metadata.name} on {args.data.name} {args.split}"
    args.out.mkdir(parents=True, exist_ok=True)
    write_whole(args.out / CSV_NAME, as_csv(points).encode("utf-8"))
    write_whole(args.out / PLOT_NAME, as_plot(points, title))
    print(f"{args.out / CSV_NAME}, {args.out / PLOT_NAME}")
    return 0


def as_csv(points: Sequence[Point]) -> str:
    """One row a point: change, strength, accuracy, low, high."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["change", "strength", "accuracy", "low", "high"])
    for p in points:
        writer.writerow([p.change, f"{p.strength:g}", *(f"{v:.4f}" for v in (p.accuracy, *p.interval))])
    return text.getvalue()


def as_plot(points: Sequence[Point], title: str) -> bytes:
    """A PNG: one small diagram a change; the band is the 95 % interval. Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in CHANGES if any(p.change == name for p in points)]
    figure, axes = pyplot.subplots(1, len(names), figsize=(3 * len(names), 3), sharey=True, squeeze=False)
    for axis, name in zip(axes[0], names):
        mine = [p for p in points if p.change == name]
        x = [p.strength for p in mine]
        axis.plot(x, [p.accuracy for p in mine], marker=".")
        axis.fill_between(x, [p.interval[0] for p in mine], [p.interval[1] for p in mine], alpha=0.25)
        axis.set_xlabel(name.replace("_", " "))
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("accuracy")
    figure.suptitle(title)
    figure.tight_layout()
    picture = io.BytesIO()
    figure.savefig(picture, dpi=110, format="png")
    pyplot.close(figure)
    return picture.getvalue()
