"""What a run leaves behind for people: history as CSV and plot, and how it came about as JSON."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from lightfer_ros.files import write_by, write_whole
from lightfer_ros.training.data import TrainingData
from lightfer_ros.training.recipe import Recipe, to_dict


def write_history(folder: Path, history: list[dict[str, float]]) -> None:
    """`history.csv`, one row an epoch; times in seconds, accuracies as fractions."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[-1]), restval="")
    writer.writeheader()
    for row in history:
        writer.writerow({k: int(v) if k == "epoch" else f"{v:.6g}" for k, v in row.items()})
    write_whole(folder / "history.csv", text.getvalue().encode("utf-8"))


def write_plot(folder: Path, history: list[dict[str, float]]) -> None:
    """`history.png`: accuracy and loss over epochs, training (augmented faces) beside validation."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    epochs = [row["epoch"] for row in history]
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4))
    for axis, key in zip(axes, ("accuracy", "loss"), strict=True):
        axis.plot(epochs, [row[key] for row in history], label="training, augmented faces, blended targets")
        axis.plot(epochs, [row[f"validation_{key}"] for row in history], label="validation, averaged weights")
        axis.set_xlabel("epoch")
        axis.set_ylabel(key)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.tight_layout()
    write_by(folder / "history.png", lambda partial: figure.savefig(partial, dpi=110))
    pyplot.close(figure)


def write_record(
    folder: Path,
    recipe: Recipe,
    data: TrainingData,
    seconds: float,
    epoch: int,
    teachers: Mapping[str, str],
    changes: Sequence[str] = (),
    finale_data: TrainingData | None = None,
) -> None:
    """`run.json`: recipe, seeds, versions, data hash and counts, teachers' hashes, machine and duration.

    changes: where the run did not keep to the recipe all the time. finale_data: what a finale trained on,
    once there was one.
    """
    record: dict[str, Any] = {
        "recipe": to_dict(recipe),
        "changes": list(changes),
        "epochs_done": epoch,
        "duration_s": round(seconds, 1),
        "written": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "data": _counts(data),
        "finale_data": None if finale_data is None else _counts(finale_data),
        "teachers": dict(teachers),
        "versions": _versions(),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
    }
    write_whole(folder / "run.json", (json.dumps(record, indent=2) + "\n").encode("utf-8"))


def _counts(data: TrainingData) -> Mapping[str, Any]:
    return {
        "sha256": data.sha256,
        "training_faces": len(data.images),
        "left_out_equal_to_validation": data.left_out,
        "validation_left_out_equal_to_training": data.not_validated,
        "merged_copies": data.merged,
        "validation_faces": len(data.validation),
    }


def _versions() -> Mapping[str, str]:
    return {"python": platform.python_version(), **{p: version(p) for p in ("torch", "keras", "numpy")}}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.lower().startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()
