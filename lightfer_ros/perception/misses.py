"""How often the detector has failed to see those who are followed."""

from __future__ import annotations

from typing import Dict

import numpy as np

MOST_MISSES = 3
"""So many times in a row the detector may fail to see a face that is followed; then it is out of sight."""


class Misses:
    """Times in a row that the detector has not seen a face, by track_id."""

    def __init__(self) -> None:
        self._counts: Dict[int, int] = {}

    def of(self, track_ids: np.ndarray) -> np.ndarray:
        """int [n]; 0 of who is not known."""
        return np.array([self._counts.get(i, 0) for i in track_ids.tolist()], int)

    def count(self, track_ids: np.ndarray, looked_for: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """One more for who was looked for (bool [n]) and not seen (bool [n]), none for who was; int [n]."""
        counts = np.where(seen, 0, self.of(track_ids) + looked_for)
        self._counts.update(zip(track_ids.tolist(), counts.tolist()))
        return counts

    def found(self, track_ids: np.ndarray) -> None:
        """The detector has just seen these."""
        self._counts.update(dict.fromkeys(track_ids.tolist(), 0))

    def keep(self, track_ids: np.ndarray) -> None:
        """Forget all but these. Who is new among them has to be seen again in the next frame."""
        self._counts = {i: self._counts.get(i, MOST_MISSES - 1) for i in track_ids.tolist()}
