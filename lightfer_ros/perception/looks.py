"""Faces and their mirror images: by turns for who is looked at often, both at once for who is not."""

from __future__ import annotations

from typing import Dict, Iterable, Tuple

import numpy as np

from lightfer_ros.runtimes import Session
from lightfer_ros.runtimes.session import in_a_mirror

CHANGED = 0.2
"""A face has changed where a look gives this share of its probability to other expressions than the last
look of its kind did."""


class Looks:
    """What the network says of each track, as the mean of a look at the face and one at its mirror image.

    Whoever learnt from faces as they are and mirrored is righter in that mean than in one look. Who has just
    been looked at needs one more look only, of the other kind: the mean is of the newest of either kind.
    Where that look shows that the face has changed, it has both.
    """

    def __init__(self) -> None:
        self._known: Dict[int, Tuple[int, np.ndarray]] = {}  # kind of the newest look, both looks [2, 7]

    def probabilities(
        self, session: Session, track_ids: np.ndarray, crops: np.ndarray, ages: np.ndarray, lasting_s: float
    ) -> np.ndarray:
        """What the session's network says of these faces.

        track_ids: int64 [n]. crops: float32 [n, h, w, c], as `Session.run` takes them. ages: float [n],
        seconds since the track was last looked at; lasting_s: from which age on a look counts no more, nor
        does one of age 0 (time stands still), NaN or infinite. Returns float32 [n, 7]. Raises as
        `Session.run` does.
        """
        if not len(crops):
            return session.look(crops)
        ids = track_ids.tolist()
        lasts = [i in self._known and 0.0 < age < lasting_s for i, age in zip(ids, ages.tolist())]
        kinds = np.array([1 - self._known[i][0] if last else 0 for i, last in zip(ids, lasts)])
        looks = np.stack([self._known[i][1] if last else _NOTHING for i, last in zip(ids, lasts)])
        rows = np.arange(len(crops))
        newest = _looked(session, crops, kinds)
        again = ~(np.abs(newest - looks[rows, kinds]).sum(axis=1) / 2 <= CHANGED)  # also NaN
        looks[rows, kinds] = newest
        if again.any():
            looks[rows[again], 1 - kinds[again]] = _looked(session, crops[again], 1 - kinds[again])
        self._known.update(zip(ids, zip(kinds.tolist(), looks)))
        return np.asarray(looks.mean(axis=1))

    def keep(self, track_ids: Iterable[int]) -> None:
        """Forget every track but these."""
        alive = set(track_ids)
        self._known = {track_id: looks for track_id, looks in self._known.items() if track_id in alive}


_NOTHING = np.full((2, 7), np.nan, np.float32)


def _looked(session: Session, crops: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """One look at each crop, at its mirror image where the kind is 1."""
    mirrored = kinds == 1
    shown = crops.copy()
    shown[mirrored] = in_a_mirror(crops[mirrored])
    return session.look(shown)
