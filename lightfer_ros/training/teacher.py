"""Trained networks as teachers: their answers soften the targets of the next one.

Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531), done before training: each teacher looks at
each face and at its mirror image once, so the run itself costs no more than without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lightfer_ros.errors import ConfigurationError, DataError
from lightfer_ros.evaluation.answers import answers_of
from lightfer_ros.model.metadata import sha256_of


def taught(targets: np.ndarray, images: np.ndarray, teachers: Sequence[Path], share: float) -> np.ndarray:
    """Targets float32 [n, 7] with `share` of them replaced by what the teachers say on the average.

    images: uint8 [n, s, s]. teachers: model files with their metadata, of the same input size; at least one.
    Raises ConfigurationError for a share outside 0 to 1, DataError for another input size, ModelError for a
    bad file.
    """
    if not 0.0 <= share <= 1.0:
        raise ConfigurationError(f"data: teacher_share is {share}, expected 0 to 1")
    said = np.mean([_looked_twice(teacher, images) for teacher in teachers], axis=0)
    return np.asarray((1.0 - share) * targets + share * said, np.float32)


def fingerprint(teachers: Sequence[Path]) -> str:
    """The teachers' hashes, as part of what a run is made from; empty without any."""
    return "".join(map(sha256_of, teachers))


def _looked_twice(teacher: Path, images: np.ndarray) -> np.ndarray:
    said = np.mean([answers_of(teacher, picture) for picture in (images, images[:, :, ::-1])], axis=0)
    if not np.isfinite(said).all():
        raise DataError(f"{teacher}: says NaN of some training faces, expected probabilities")
    return np.asarray(said)
