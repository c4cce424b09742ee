"""Faces and targets ready for the loop: de-duplicated, with FER+ votes blended in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.faces import FaceSet, pixel_hashes
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.training.targets import blend, read_votes, translate_votes


@dataclass(frozen=True)
class TrainingData:
    """images: uint8 [n, s, s]. targets: float32 [n, 7], rows sum to 1. validation: scored, never trained on.

    left_out: training rows equal, pixel for pixel, to a validation row. merged: copies within training
    that were folded into one face with their mean target. sha256: of every pixel and target in order.
    """

    images: np.ndarray
    targets: np.ndarray
    validation: FaceSet
    left_out: int
    merged: int
    sha256: str


@dataclass(frozen=True)
class DataOptions:
    """Where the faces are and how labels become targets."""

    path: str = ""
    votes: str | None = None
    train_split: str = "Training"
    validation_split: str = "PublicTest"
    hard_share: float = 0.7
    label_smoothing: float = 0.0
    input_size: int = 48


def load(options: DataOptions) -> TrainingData:
    """Read, de-duplicate and blend. Raises DataError naming file, row and what was expected."""
    path = Path(options.path)
    train = read_faces(path, options.train_split, options.input_size)
    validation = read_faces(path, options.validation_split, options.input_size)
    if options.votes:
        soft = _soft_labels(Path(options.votes), train, options.train_split)
        targets = blend(train.labels, soft, options.hard_share, options.label_smoothing)
    else:
        targets = blend(train.labels, np.zeros((len(train), 7)), 1.0, options.label_smoothing)
    held = set(pixel_hashes(validation.images))
    hashes = pixel_hashes(train.images)
    keep = np.array([h not in held for h in hashes])
    hashes = [h for h, k in zip(hashes, keep, strict=True) if k]
    images, merged_targets = _merge_copies(train.images[keep], targets[keep], hashes)
    digest = hashlib.sha256(images.tobytes() + merged_targets.tobytes()).hexdigest()
    merged = int(keep.sum()) - len(images)
    return TrainingData(images, merged_targets, validation, int((~keep).sum()), merged, digest)


def _soft_labels(path: Path, train: FaceSet, split: str) -> np.ndarray:
    votes, usage = read_votes(path)
    last = int(train.rows.max())
    if last >= len(votes):
        raise DataError(
            f"{path}: {len(votes)} rows, but the faces need row {last + 1}; expected one per face"
        )
    for row in train.rows:
        if usage[row] != split:
            raise DataError(
                f"{path}, line {row + 2}: Usage is {usage[row]!r}, but the face there is {split!r}"
            )
    return translate_votes(votes[train.rows], train.labels)


def _merge_copies(
    images: np.ndarray, targets: np.ndarray, hashes: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    first: dict[str, int] = {}
    group = np.array([first.setdefault(h, len(first)) for h in hashes])
    _, index = np.unique(group, return_index=True)
    total = np.zeros((len(index), targets.shape[1]), np.float64)
    np.add.at(total, group, targets)
    count = np.bincount(group)[:, None]
    return images[index], (total / count).astype(np.float32)
