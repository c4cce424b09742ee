"""Steadier probabilities: an exponential filter per track, in seconds and not in frames."""

from __future__ import annotations

import math
from typing import Dict, Iterable, Optional, Tuple

import numpy as np

from lightfer_ros.model.labels import EMOTIONS

LEAST_TRUST = 0.1
"""However bad the view, what is seen for long is believed in the end."""

PLAIN, STEEPNESS = 0.5, 4.0
"""An answer of this probability counts as long as it lasts. One that is surer counts for more and one that is
less sure for less, by this power: who laughs is believed at once, and a face between two expressions, whose
label would change with the camera's noise, for what it is in the mean (docs/realtime.md)."""


class Smoother:
    """First-order low-pass over each track's distribution, right under uneven frame times and lost frames."""

    def __init__(self, time_constant_s: float) -> None:
        """A step to PLAIN, well seen, reaches 63 % after `time_constant_s`; 0 passes everything through."""
        self.time_constant_s = time_constant_s
        self._state: Dict[int, Tuple[float, np.ndarray]] = {}

    def update(
        self,
        track_ids: np.ndarray,
        probabilities: np.ndarray,
        stamp: float,
        trust: Optional[np.ndarray] = None,
    ) -> np.ndarray:
        """The smoothed distributions of these tracks.

        track_ids: int64 [n]. probabilities: float32 [n, 7], rows sum to 1. stamp: seconds; where it stands
        still or jumps back, the track starts anew. trust: float [n], 0 to 1, 1 unless given: a view that is
        trusted by halves moves a track as if half the time had passed, and so on with the answer's own
        confidence, see STEEPNESS. Returns float32 [n, 7], rows sum to 1.
        """
        smoothed = np.array(probabilities, np.float32)
        trusts = (smoothed.max(axis=1, initial=0.0) / PLAIN) ** STEEPNESS
        if trust is not None:
            trusts = trusts * trust
        trusts = np.maximum(trusts, LEAST_TRUST)
        for row, track_id, trusted in zip(smoothed, track_ids.tolist(), trusts.tolist()):
            last_stamp, last = self._state.get(track_id, (stamp, row))
            elapsed = stamp - last_stamp
            if self.time_constant_s > 0.0 and elapsed > 0.0:
                weight = math.exp(-elapsed * trusted / self.time_constant_s)
                row += weight * (last - row)
            self._state[track_id] = (stamp, row.copy())
        return smoothed

    def newest(self, track_ids: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """What was last told of these tracks: stamps [n], distributions float32 [n, 7]; NaN: nothing."""
        stamps = np.full(len(track_ids), np.nan)
        rows = np.full((len(track_ids), len(EMOTIONS)), np.nan, np.float32)
        for index, track_id in enumerate(track_ids.tolist()):
            if track_id in self._state:
                stamps[index], rows[index] = self._state[track_id]
        return stamps, rows

    def keep(self, track_ids: Iterable[int]) -> None:
        """Forget every track but these."""
        alive = set(track_ids)
        self._state = {track_id: state for track_id, state in self._state.items() if track_id in alive}
