"""Faces and targets ready for the loop: de-duplicated, with FER+ votes blended in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightfer_ros.errors import ConfigurationError, DataError
from lightfer_ros.evaluation.faces import FaceSet, copies_among, pixel_hashes
from lightfer_ros.evaluation.readers import is_csv, read_faces
from lightfer_ros.model import EMOTIONS
from lightfer_ros.training.limits import NOT_NEGATIVE, SHARE, within
from lightfer_ros.training.targets import blend, read_votes, translate_votes

VALIDATION, TRAINING = "validation", "training"


@dataclass(frozen=True)
class TrainingData:
    """images: uint8 [n, s, s]. targets: float32 [n, 7], rows sum to 1. validation: scored, never trained on.

    left_out: training rows equal, pixel for pixel, to a validation row; not_validated: validation rows equal
    to a training row. One of them is 0, see `DataOptions.copies`. merged: copies within training
    that were folded into one face with their mean target. sha256: of all pixels, labels, votes
    and shares that went in.
    """

    images: np.ndarray
    targets: np.ndarray
    validation: FaceSet
    left_out: int
    not_validated: int
    merged: int
    sha256: str


@dataclass(frozen=True)
class DataOptions:
    """Where the faces are and how labels become targets.

    hard_share: of FER2013's own label in a target, the rest is FER+. class_balance: see
    `targets.face_weights`; above 0, rare classes gain recall at some cost in accuracy. copies: in which of
    the two, validation or training, faces stay that stand in both splits.
    """

    path: str = ""
    votes: str | None = None
    train_split: str = "Training"
    validation_split: str = "PublicTest"
    hard_share: float = 0.7
    label_smoothing: float = 0.0
    class_balance: float = 0.0
    input_size: int = 48
    copies: str = VALIDATION

    def __post_init__(self) -> None:
        if self.copies not in (VALIDATION, TRAINING):
            raise ConfigurationError(
                f"data: copies is {self.copies!r}, expected {VALIDATION} or {TRAINING}, where such faces stay"
            )
        within("data", self, hard_share=SHARE, label_smoothing=SHARE, class_balance=NOT_NEGATIVE)


def load(options: DataOptions) -> TrainingData:
    """Read, de-duplicate and blend. Raises DataError naming file, row and what was expected."""
    path = Path(options.path)
    train = read_faces(path, options.train_split, options.input_size)
    validation = read_faces(path, options.validation_split, options.input_size)
    if options.votes:
        votes = _votes_of(Path(options.votes), path, train, options.train_split)
        soft, hard_share = translate_votes(votes, train.labels), options.hard_share
    else:
        votes, soft, hard_share = np.zeros((0, 0)), np.zeros((len(train), len(EMOTIONS))), 1.0
    targets = blend(train.labels, soft, hard_share, options.label_smoothing)
    keep, validate = np.ones(len(train), bool), np.ones(len(validation), bool)
    if options.copies == VALIDATION:
        keep = ~copies_among(train.images, validation.images)
    else:
        validate = ~copies_among(validation.images, train.images)
        validation = validation[validate]
    hashes = pixel_hashes(train.images[keep])
    images, merged_targets = _merge_copies(train.images[keep], targets[keep], hashes)
    digest = _digest(train, validation, votes, (hard_share, options.label_smoothing))
    return TrainingData(
        images,
        merged_targets,
        validation,
        left_out=int((~keep).sum()),
        not_validated=int((~validate).sum()),
        merged=int(keep.sum()) - len(images),
        sha256=digest,
    )


def _digest(train: FaceSet, validation: FaceSet, votes: np.ndarray, numbers: tuple[float, ...]) -> str:
    """What went in, not what was computed from it: that differs between machines in the last bits."""
    digest = hashlib.sha256(repr(numbers).encode())
    for faces in (train, validation):
        digest.update(faces.images.tobytes())
        digest.update(faces.labels.astype("<i8").tobytes())
    digest.update(votes.astype("<i8").tobytes())
    return digest.hexdigest()


def _votes_of(path: Path, faces_path: Path, train: FaceSet, split: str) -> np.ndarray:
    if not is_csv(faces_path):
        raise DataError(
            f"{path}: votes go by row, so the faces have to come from FER2013's CSV, not {faces_path}"
        )
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
    return np.asarray(votes[train.rows])


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
