"""The command-line face of robustness: a CSV and a plot of accuracy under each change."""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from lightfer_ros.errors import LightferError
from lightfer_ros.evaluation.robustness import CHANGES, Point, measure


def main(argv: Optional[List[str]] = None) -> int:
    """`python -m lightfer_ros.evaluation.robustness_main`: 0, or 2 with one line on a known error."""
    from lightfer_ros.evaluation.readers import read_faces
    from lightfer_ros.runtimes import RuntimeOptions, load

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a model file with its metadata beside it")
    parser.add_argument("--data", type=Path, required=True, help="as for `lightfer evaluate`")
    parser.add_argument("--split", default="PublicTest", help="default %(default)s")
    parser.add_argument("--out", type=Path, required=True, help="folder for robustness.csv and .png")
    arguments = parser.parse_args(argv)
    try:
        with load(arguments.model, RuntimeOptions()) as session:
            faces = read_faces(arguments.data, arguments.split, session.metadata.input_size)
            points = []
            for point in measure(session, faces):
                points.append(point)
                print(f"{point.change} {point.strength:g}: {point.accuracy:.4f}", file=sys.stderr)
            title = f"{session.metadata.name} on {arguments.data.name} {arguments.split}"
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_csv(arguments.out / "robustness.csv", points)
        write_plot(arguments.out / "robustness.png", points, title)
    except LightferError as error:
        print(f"robustness: {error}", file=sys.stderr)
        return 2
    return 0


def write_csv(path: Path, points: Sequence[Point]) -> None:
    """One row a point: change, strength, accuracy, low, high."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["change", "strength", "accuracy", "low", "high"])
        for p in points:
            writer.writerow([p.change, f"{p.strength:g}", *(f"{v:.4f}" for v in (p.accuracy, *p.interval))])
    partial.replace(path)


def write_plot(path: Path, points: Sequence[Point], title: str) -> None:
    """One small diagram a change; the band is the 95 % interval. Needs matplotlib."""
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
    partial = path.with_name(f".{path.stem}.partial.png")
    figure.savefig(partial, dpi=110)
    partial.replace(path)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(main())
