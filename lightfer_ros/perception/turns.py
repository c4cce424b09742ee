"""Whose turn it is to be classified: everybody often enough, no frame more than it can bear."""

from __future__ import annotations

import math

import numpy as np

AHEAD = 1.2
"""Turns come so many times as often as they must, where frames come often enough: at 30 frames a second and
an interval of 0.1 s after two frames and after three by turns, 12 times a second, where two make 15."""

TREMBLE, ROUNDING = 1.1, 1.01
"""Stamps tremble, and 29.97 frames a second are 30: a turn may be late by so much of the interval, in a
single frame and in all of them."""

COST_WEIGHT, GAP_WEIGHT = 0.2, 0.2
"""How much the newest frame counts in the mean cost of classifying a face, and in the mean frame time."""


class Turns:
    """Chooses which faces of a frame are classified anew; learns what one costs and how often frames come."""

    def __init__(self) -> None:
        self._seconds_per_face = 0.0
        self._gap = 0.0
        self._owed = 0.0  # what is left of a turn, for the next frame
        self._next = 0  # who has the next turn of those who are equally old

    def choose(
        self, ages: np.ndarray, gap: float, interval_s: float, seconds_left: float = math.inf
    ) -> np.ndarray:
        """Indices of the faces whose turn it is, int [k], ascending.

        ages: float [n], seconds since each was last classified, NaN or infinite: never. gap: seconds from
        frame to frame. interval_s: the most that may pass between two classifications, 0: everybody now.
        seconds_left: what is left of the frame's budget; one face has its turn in any case, and who never
        had one.

        As many of the oldest have their turn as keep the frames' loads even, and who would be too old in the
        next frame.
        """
        ages = np.where(np.isfinite(ages), ages, np.inf)
        if gap > 0:
            due = max(
                int(np.count_nonzero(ages + gap > TREMBLE * interval_s)),
                self._share(len(ages), gap, interval_s),
            )
        else:  # time stands still: a driver that never sets it
            due = len(ages)
        if due and self._seconds_per_face > 0:
            affordable = int(min(max(seconds_left, 0.0) / self._seconds_per_face, len(ages)))
            due = min(due, max(1, affordable, int(np.isinf(ages).sum())))
        if not due:
            return np.empty(0, np.intp)
        in_turn = (np.arange(len(ages)) - self._next) % len(ages)
        chosen = np.lexsort((in_turn, -ages))[:due]
        self._next = int(chosen[-1]) + 1
        return np.sort(chosen)

    def urgent(self, ages: np.ndarray, interval_s: float, seconds_left: float) -> np.ndarray:
        """Which of the chosen are classified before the answer, bool [n]; others can wait until it is out.

        ages: float [n], as for `choose`. seconds_left: until the answer shall be out. Where they are not
        enough for everybody, all wait who can, since one batch is cheaper than two: not who was never
        classified or so long ago that the answer would tell of more than the interval and a tenth, and
        nobody where time stands still.
        """
        if len(ages) * self._seconds_per_face <= seconds_left:
            return np.ones(len(ages), bool)
        return ~((ages > 0) & (ages <= TREMBLE * interval_s))

    def spent(self, faces: int, seconds: float) -> None:
        """Classifying so many faces took so long."""
        if faces:
            each = seconds / faces
            known = self._seconds_per_face
            self._seconds_per_face = each if known == 0.0 else known + COST_WEIGHT * (each - known)

    def _share(self, faces: int, gap: float, interval_s: float) -> int:
        """This frame's part of a round of everybody; what is left of a whole turn is the next frame's."""
        gap = min(gap, interval_s or gap)  # a pause says nothing of how often frames come
        self._gap = gap if self._gap == 0.0 else self._gap + GAP_WEIGHT * (gap - self._gap)
        most = max(math.floor(ROUNDING * interval_s / self._gap), 1)
        frames = max(interval_s / AHEAD / self._gap, 1.0)
        self._owed, share = math.modf(self._owed + faces / min(frames, most))
        return int(share)
