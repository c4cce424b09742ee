"""Whose turn it is to be classified: everybody often enough, no frame more than it can bear."""

from __future__ import annotations

import math

import numpy as np

COST_WEIGHT = 0.2
"""How much the newest frame counts in the mean cost of classifying a face."""


class Turns:
    """Chooses which faces of a frame are classified anew; learns what one costs."""

    def __init__(self) -> None:
        self._seconds_per_face = 0.0

    def choose(
        self, ages: np.ndarray, gap: float, interval_s: float, seconds_left: float = math.inf
    ) -> np.ndarray:
        """Indices of the faces whose turn it is, int [k], ascending.

        ages: float [n], seconds since each was last classified, NaN or infinite: never. gap: seconds from
        frame to frame. interval_s: the most that may pass between two classifications, 0: everybody now.
        seconds_left: what is left of the frame's budget; one face has its turn in any case, and who never
        had one.

        Who would be too old in the next frame has their turn, and of the others as many of the oldest as keep
        the frames' loads even.
        """
        ages = np.where(np.isfinite(ages), ages, np.inf)
        limit = 0.95 * interval_s  # stamps tremble
        if gap > 0:
            due = int(np.count_nonzero(ages + gap > limit))
            frames_a_round = max(math.floor(limit / gap), 1)
            due = max(due, len(ages) // frames_a_round)
        else:  # time stands still: a driver that never sets it
            due = len(ages)
        if due and self._seconds_per_face > 0:
            affordable = int(min(max(seconds_left, 0.0) / self._seconds_per_face, len(ages)))
            due = min(due, max(1, affordable, int(np.isinf(ages).sum())))
        oldest_first = np.argsort(-ages, kind="stable")
        return np.sort(oldest_first[:due])

    def spent(self, faces: int, seconds: float) -> None:
        """Classifying so many faces took so long."""
        if faces:
            each = seconds / faces
            known = self._seconds_per_face
            self._seconds_per_face = each if known == 0.0 else known + COST_WEIGHT * (each - known)
