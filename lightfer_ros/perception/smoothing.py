"""Steadier probabilities: an exponential filter per track, in seconds and not in frames."""

from __future__ import annotations

import math
from typing import Dict, Iterable, Tuple

import numpy as np


class Smoother:
    """First-order low-pass over each track's distribution, right under uneven frame times and lost frames."""

    def __init__(self, time_constant_s: float) -> None:
        """A step reaches 63 % after `time_constant_s`; 0 passes everything through."""
        self.time_constant_s = time_constant_s
        self._state: Dict[int, Tuple[float, np.ndarray]] = {}

    def update(self, track_ids: np.ndarray, probabilities: np.ndarray, stamp: float) -> np.ndarray:
        """The smoothed distributions of these tracks.

        track_ids: int64 [n]. probabilities: float32 [n, 7], rows sum to 1. stamp: seconds; where it stands
        still or jumps back, the track starts anew. Returns float32 [n, 7], rows sum to 1.
        """
        smoothed = np.array(probabilities, np.float32)
        for row, track_id in zip(smoothed, track_ids.tolist()):
            last_stamp, last = self._state.get(track_id, (stamp, row))
            elapsed = stamp - last_stamp
            if self.time_constant_s > 0.0 and elapsed > 0.0:
                weight = math.exp(-elapsed / self.time_constant_s)
                row += weight * (last - row)
            self._state[track_id] = (stamp, row.copy())
        return smoothed

    def keep(self, track_ids: Iterable[int]) -> None:
        """Forget every track but these."""
        alive = set(track_ids)
        self._state = {track_id: state for track_id, state in self._state.items() if track_id in alive}
