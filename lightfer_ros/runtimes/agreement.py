"""Whether two sessions of one model say the same, on an input that is the same everywhere."""

from __future__ import annotations

import numpy as np

from lightfer_ros.model.metadata import ModelMetadata
from lightfer_ros.runtimes.session import Session

BOUNDS = {"fp32": 0.01, "fp16": 0.03, "int8": 0.10, "int8_trt": 0.10, "int4": 0.10}
"""How far a probability may be from the CPU's, per precision of the arithmetic. A GPU rounds FP32 products to
TF32, and engines round INT8 ties differently; an engine that is broken is off by far more."""


def fixed_input(metadata: ModelMetadata, count: int = 4, seed: int = 2) -> np.ndarray:
    """Smooth, face-like blobs that are the same on every machine.

    Returns float32 [count, h, w, c], in the range of the metadata's normalization.
    """
    rng = np.random.RandomState(seed)  # the legacy generator: its stream is frozen across NumPy versions
    size = metadata.input_size
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    pixels = np.zeros((count, size, size, metadata.channels), np.float32)
    for picture in pixels:
        for _ in range(12):
            (cy, cx), radius, depth = rng.uniform(0, 1, 2), rng.uniform(0.05, 0.3), rng.uniform(-1, 1)
            picture += (depth * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / radius**2))[:, :, None]
        picture -= picture.min()
        picture *= 255.0 / picture.max()
    norm = metadata.normalization
    return np.asarray(pixels * norm.scale + norm.offset, np.float32)


def largest_difference(session: Session, reference: Session) -> float:
    """The largest difference of any probability between two sessions of one model on `fixed_input`."""
    batch = fixed_input(reference.metadata)
    return float(np.abs(session.run(batch) - reference.run(batch)).max())
