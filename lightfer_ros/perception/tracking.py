"""Who is who: a track_id per face, from one frame to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Set, Tuple

import numpy as np

from lightfer_ros.perception.faces import Faces

LEAST_OVERLAP = 0.2
"""Two boxes of one face in neighbouring scans overlap by more (IoU): for less, at 10 scans a second, it would
have to cross two thirds of its own width between them."""

LONGEST_FRAME_GAP_S = 2.0
"""Who is seen in two frames running has not been out of sight, however short the timeout, unless time jumped:
slower than a camera of one frame a second is a jump."""


@dataclass
class _Track:
    box: np.ndarray
    first_seen: float
    last_seen: float


class Tracker:
    """Gives every face a track_id and keeps it for `timeout_s` while the face is out of sight."""

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._tracks: Dict[int, _Track] = {}
        self._in_view: Set[int] = set()
        self._next_id = 1

    @property
    def track_ids(self) -> List[int]:
        """The tracks that are alive, in view or only just out of it."""
        return list(self._tracks)

    def update(self, faces: Faces, stamp: float) -> Faces:
        """The same faces with track_id and time_in_view; `stamp` in seconds, may jump either way.

        Faces that carry a track_id keep it; the others are matched to the tracks that are left by overlap,
        the best first, and become new tracks where nothing overlaps. Tracks not seen for too long end.
        """
        track_ids = faces.track_id.copy()
        self._forget(stamp)
        carried = set(track_ids.tolist())
        for index, partner in self._match(faces, [i for i in self._tracks if i not in carried]):
            track_ids[index] = partner
        for index, track_id in enumerate(track_ids):
            if track_id not in self._tracks:
                track_ids[index] = track_id = self._next_id
                self._next_id += 1
                self._tracks[track_id] = _Track(faces.boxes[index], stamp, stamp)
            track = self._tracks[track_id]
            track.box, track.last_seen = faces.boxes[index], stamp
        self._in_view = set(track_ids.tolist())
        in_view = np.array([stamp - self._tracks[i].first_seen for i in track_ids], np.float32)
        return faces.replace(track_id=track_ids, time_in_view=in_view)

    def reset(self) -> None:
        """Forget everybody; ids go on counting, so that none is given twice."""
        self._tracks.clear()
        self._in_view.clear()

    def _forget(self, stamp: float) -> None:
        """End tracks out of sight for too long, and all of them when time jumped.

        Where time stands still (a driver that never sets it), who is out of sight ends at once.
        """

        def lives(track_id: int, away: float) -> bool:
            limit = max(self.timeout_s, LONGEST_FRAME_GAP_S)
            return 0.0 <= away <= limit if track_id in self._in_view else 0.0 < away <= self.timeout_s

        self._tracks = {i: track for i, track in self._tracks.items() if lives(i, stamp - track.last_seen)}

    def _match(self, faces: Faces, candidates: List[int]) -> List[Tuple[int, int]]:
        new = np.flatnonzero(faces.track_id == 0)
        if not len(new) or not candidates:
            return []
        overlaps = box_iou(faces.boxes[new], np.stack([self._tracks[i].box for i in candidates]))
        pairs = []
        while overlaps.size and overlaps.max() >= LEAST_OVERLAP:
            row, column = np.unravel_index(np.argmax(overlaps), overlaps.shape)
            pairs.append((int(new[row]), candidates[column]))
            overlaps[row, :] = -1.0
            overlaps[:, column] = -1.0
        return pairs


def box_iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair of boxes: [n, 4] and [m, 4], x1, y1, x2, y2 → float [n, m]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    intersection = np.prod(np.clip(high - low, 0.0, None), axis=2)
    area_one = np.prod(np.clip(one[:, 2:] - one[:, :2], 0.0, None), axis=1)
    area_other = np.prod(np.clip(other[:, 2:] - other[:, :2], 0.0, None), axis=1)
    union = area_one[:, None] + area_other[None, :] - intersection
    overlap: np.ndarray = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return overlap
