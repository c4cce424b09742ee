"""What the network is taught: FER2013's labels, softened by the ten FER+ votes each face got."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.model import EMOTIONS

VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


def read_votes(path: Path) -> tuple[np.ndarray, list[str]]:
    """FER+'s votes (`fer2013new.csv`), row for row as FER2013: float64 [n, 10] by VOTE_COLUMNS, and Usage.

    Raises DataError naming file and line for a missing column or a vote that is no whole number.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected FER+'s fer2013new.csv")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [c for c in ("Usage", *VOTE_COLUMNS) if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{path}, line 1: column {', '.join(missing)} is missing")
        votes: list[list[int]] = []
        usage: list[str] = []
        for line, row in enumerate(reader, 2):
            try:
                votes.append([int(row[c]) for c in VOTE_COLUMNS])
            except (TypeError, ValueError):
                raise DataError(f"{path}, line {line}: a vote is not a whole number") from None
            usage.append(row["Usage"])
    return np.array(votes, np.float64).reshape(-1, len(VOTE_COLUMNS)), usage


def translate_votes(votes: np.ndarray, labels: np.ndarray, steps: int = 300, l2: float = 1e-4) -> np.ndarray:
    """What FER2013 would have called each face, by its FER+ votes alone: float64 [n, 7], rows sum to 1.

    FER+ annotators and FER2013's labels differ in habit (votes predict the label of only two faces in
    three), so votes are not copied but translated: a softmax regression from the shares of all ten
    columns, their roots and pair products to FER2013's label, fitted on these very rows by gradient
    descent with momentum. Contempt, unknown and not-a-face are evidence like the other seven: a face
    with such votes stays in and gets the distribution of labels that faces voted like it have.

    votes: [n, 10], not all zero in a row. labels: int [n].
    """
    features = _vote_features(votes)
    mean, spread = features.mean(0), features.std(0) + 1e-6
    features = np.concatenate([(features - mean) / spread, np.ones((len(features), 1))], 1)
    target = np.eye(len(EMOTIONS))[labels]
    weights = np.zeros((features.shape[1], len(EMOTIONS)))
    velocity = np.zeros_like(weights)
    for _ in range(steps):
        slope = features.T @ (_softmax(features @ weights) - target) / len(features) + l2 * weights
        velocity = 0.9 * velocity - 0.05 * slope
        weights += velocity
    return _softmax(features @ weights)


def blend(labels: np.ndarray, soft: np.ndarray, hard_share: float, smoothing: float) -> np.ndarray:
    """Targets float32 [n, 7]: hard_share · one-hot + the rest · soft; `smoothing` of it made uniform."""
    mixed = hard_share * np.eye(len(EMOTIONS))[labels] + (1.0 - hard_share) * soft
    return np.asarray((1.0 - smoothing) * mixed + smoothing / len(EMOTIONS), np.float32)


def face_weights(targets: np.ndarray, balance: float) -> np.ndarray:
    """How much each face counts in the loss: float32 [n], mean 1.

    A class counts by its share of the faces to the power −balance: 0 leaves every face as it is, 1 gives all
    classes the same say. FER2013 has 16 times as many happy faces as disgusted ones.
    """
    share = targets.mean(0, dtype=np.float64)
    weight = targets @ np.where(share > 0, np.maximum(share, 1e-12) ** -balance, 0.0)
    return np.asarray(weight / weight.mean(), np.float32)


def _vote_features(votes: np.ndarray) -> np.ndarray:
    total = votes.sum(1, keepdims=True)
    if (total <= 0).any():
        raise DataError(f"votes of row {int(np.argmin(total))} are all zero, expected at least one vote")
    share = votes / total
    base = np.concatenate([share, np.sqrt(share)], 1)
    first, second = np.triu_indices(base.shape[1])
    return np.concatenate([base, base[:, first] * base[:, second]], 1)


def _softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))
