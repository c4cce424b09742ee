"""What a model file says of faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.model import ModelMetadata
from lightfer_ros.runtimes import Session, load

BATCH = 16


def answers(session: Session, images: np.ndarray) -> np.ndarray:
    """What a session says of uint8 faces [n, s, s]: float32 [n, 7].

    Raises DataError when there are no faces, or they are not of the model's input size.
    """
    size = session.metadata.input_size
    if not len(images) or images.shape[1:] != (size, size):
        raise DataError(
            f"{len(images)} faces of {images.shape[-1]} pixels, expected at least one, of {size}, "
            f"for {session.metadata.name}"
        )
    inputs = to_inputs(images, session.metadata)
    return np.concatenate([session.run(inputs[i : i + BATCH]) for i in range(0, len(inputs), BATCH)])


def answers_of(model: Path, images: np.ndarray) -> np.ndarray:
    """What a model file says of uint8 faces [n, s, s]: probabilities float32 [n, 7]."""
    with load(model) as session:
        return answers(session, images)


def to_inputs(images: np.ndarray, about: ModelMetadata) -> np.ndarray:
    """uint8 faces [n, s, s] as a model wants them: float32 [n, s, s, c]."""
    norm = about.normalization
    scaled = images.astype(np.float32) * np.float32(norm.scale) + np.float32(norm.offset)
    return np.repeat(scaled[..., None], about.channels, axis=3)
