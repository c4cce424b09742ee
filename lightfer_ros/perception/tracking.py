"""Who is who: a track_id per face, from one frame to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Set

import numpy as np

from lightfer_ros.perception.assignment import assign
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.few import among
from lightfer_ros.perception.motion import Motion

REACH, REACH_PER_S, LONGEST_REACH_S = 0.7, 2.0, 1.0
"""Who comes back into sight is at most so far from where they were expected, in sides of their box: at once,
and more for every second out of sight, of which so many count."""

MOST_GROWTH = 1.6
"""And has grown or shrunk by no more."""

LEAST_FITNESS = 0.8
"""Where they could be one of several, place and likeness (1 at most each) sum up to so much: who is just
where they were expected may be half hidden, who is farther off must look like themselves."""

LENIENCE, LASTING, LEARNT_EVERY_S = 0.2, 0.15, 0.2
"""What a face has looked like over time counts so much less than what it looked like last; how much of it is
new each time it is learnt; and how often that is while nobody doubts."""

SHRUNK = 0.87
"""That lenience is not for a face that has become smaller by more in this second: it may be what is left to
be seen of it. Who walks away becomes smaller too, but looks the same. A second it is however often one looks:
who is being covered is doubted, and looked at in every frame."""

GROWN_AGAIN = 0.93
"""Who has shrunk like that is whole again from here on: boxes tremble."""

MOST_INSIDE = 0.4
"""A new face of which a larger share lies inside another is a part of that one: a cheek beside a pillar."""

LONGEST_FRAME_GAP_S = 2.0
"""Who is seen in two frames running has not been out of sight, however short the timeout, unless time jumped:
slower than a camera of one frame a second is a jump."""


@dataclass
class _Track:
    motion: Motion
    first_seen: float
    last_seen: float
    patch: Optional[np.ndarray] = None  # when last learnt
    lasting: Optional[np.ndarray] = None  # over the last second or so
    lasting_side: float = 0.0  # pixels
    learnt: float = 0.0  # stamp

    def is_shrunk(self, box: np.ndarray, share: float = SHRUNK) -> bool:
        """Whether the face in this box, float [4], has become smaller than that share in this second."""
        return float(box[2] - box[0]) < share * self.lasting_side


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

    @property
    def out_of_sight(self) -> bool:
        """Whether somebody may come back any moment."""
        return len(self._tracks) > len(self._in_view)

    def expected(self, faces: Faces, stamp: float) -> Faces:
        """Faces of an earlier frame where they are expected at `stamp`."""
        boxes = [self._tracks[i].motion.expected(stamp) for i in faces.track_id.tolist()]
        return faces.replace(boxes=np.array(boxes, np.float32).reshape(-1, 4))

    def expected_boxes(self, stamp: float) -> np.ndarray:
        """Where everybody is expected at `stamp`, float [m, 4], those out of sight as well."""
        boxes = [track.motion.expected(stamp) for track in self._tracks.values()]
        return np.array(boxes, np.float64).reshape(-1, 4)

    def likeness(self, faces: Faces, patches: np.ndarray) -> np.ndarray:
        """How much each face looks like it did, float [n], −1 to 1; 1 where nothing is known.

        patches: float32 [n, k], as `appearance.patches` makes them. It counts what a face looked like when
        last learnt and, more leniently, over the last second: what hides a face slowly is learnt bit by bit.
        """
        alike = np.ones(len(faces))
        for index, track_id in enumerate(faces.track_id.tolist()):
            track = self._tracks.get(track_id)
            if track is not None and track.patch is not None and track.lasting is not None:
                length = math.sqrt(track.lasting @ track.lasting)
                lasting = float(patches[index] @ track.lasting) / max(length, 1e-6)
                shrunk = track.is_shrunk(faces.boxes[index])
                alike[index] = min(
                    float(patches[index] @ track.patch), lasting + (0.0 if shrunk else LENIENCE)
                )
        return alike

    def shrunk(self, faces: Faces, before: np.ndarray) -> np.ndarray:
        """bool [n]: who has become much smaller in this second; no stranger has.

        before: int64 [k], the track_ids of whom that was last said; they have to grow to GROWN_AGAIN first.
        """
        share = np.where(among(faces.track_id, before), GROWN_AGAIN, SHRUNK)
        tracks = [self._tracks.get(track_id) for track_id in faces.track_id.tolist()]
        each = zip(tracks, faces.boxes, share.tolist())
        return np.array([t is not None and t.is_shrunk(box, least) for t, box, least in each], bool)

    def learn(self, faces: Faces, patches: np.ndarray, stamp: float) -> None:
        """This is what these faces, which have their track_id, look like now, and how large they are."""
        for track_id, box, patch in zip(faces.track_id.tolist(), faces.boxes, patches):
            track = self._tracks[track_id]
            side, track.patch = float(box[2] - box[0]), patch
            if track.lasting is None:
                track.lasting, track.lasting_side = patch, side
            track.lasting = track.lasting + LASTING * (patch - track.lasting)
            share = LASTING * min(max(stamp - track.learnt, 0.0) / LEARNT_EVERY_S, 1.0)
            track.lasting_side += share * (side - track.lasting_side)
            track.learnt = stamp

    def identify(
        self, faces: Faces, taken: Iterable[int], stamp: float, patches: Optional[np.ndarray] = None
    ) -> Faces:
        """The same faces with the track_id of whom they fit best, 0 where nobody fits.

        They are matched to the tracks that are not `taken` by place, by size and, where `patches` (float32
        [n, k]) are given, by what they look like.
        """
        taken = set(taken)
        candidates = [i for i in self._tracks if i not in taken]
        track_ids = np.zeros(len(faces), np.int64)
        for i, j in assign(self._fitness(faces, candidates, stamp, patches)):
            track_ids[i] = candidates[j]
        return faces.replace(track_id=track_ids)

    def hidden_at(self, boxes: np.ndarray, stamp: float, within_s: float) -> np.ndarray:
        """bool [n]: whether a box lies where somebody is, or went out of sight in the last `within_s`."""
        places = [t.motion.expected(stamp) for t in self._tracks.values() if stamp - t.last_seen <= within_s]
        inside = share_inside(boxes, np.array(places).reshape(-1, 4)).max(axis=1, initial=0.0)
        return np.asarray(inside > MOST_INSIDE)

    def update(self, faces: Faces, stamp: float, sure: Optional[np.ndarray] = None) -> Faces:
        """The same faces with track_id and time_in_view; `stamp` in seconds, may jump either way.

        Faces that carry a track_id keep it, the others become new tracks. Tracks not seen for too long end.
        sure: bool [n], whose place is to be believed.
        """
        self.forget(stamp)
        track_ids = faces.track_id.copy()
        for index, track_id in enumerate(track_ids.tolist()):
            box = faces.boxes[index]
            track = self._tracks.get(track_id)
            if track is None:  # new, or of a track that has just ended
                track_ids[index] = track_id = self._next_id
                self._next_id += 1
                track = self._tracks[track_id] = _Track(Motion(box, stamp), stamp, stamp)
            believed = (sure is None or bool(sure[index])) and track_id in self._in_view
            track.motion.seen(box, stamp, believed)
            track.last_seen = stamp
        self._in_view = set(track_ids.tolist())
        in_view = np.array([stamp - self._tracks[i].first_seen for i in track_ids.tolist()], np.float32)
        return faces.replace(track_id=track_ids, time_in_view=in_view)

    def end(self, track_ids: np.ndarray) -> None:
        """Nobody is these any more."""
        for track_id in track_ids.tolist():
            del self._tracks[track_id]

    def reset(self) -> None:
        """Forget everybody; ids go on counting, so that none is given twice."""
        self._tracks.clear()
        self._in_view.clear()

    def forget(self, stamp: float) -> None:
        """End tracks out of sight for too long, and all of them when time jumped.

        Where time stands still (a driver that never sets it), who is out of sight ends at once.
        """

        def lives(track_id: int, away: float) -> bool:
            limit = max(self.timeout_s, LONGEST_FRAME_GAP_S)
            return 0.0 <= away <= limit if track_id in self._in_view else 0.0 < away <= self.timeout_s

        self._tracks = {i: track for i, track in self._tracks.items() if lives(i, stamp - track.last_seen)}

    def _fitness(
        self, faces: Faces, candidates: List[int], stamp: float, patches: Optional[np.ndarray]
    ) -> np.ndarray:
        """How well each face fits each track, float [n, m], 0 where it cannot be the same."""
        tracks = [self._tracks[i] for i in candidates]
        if not len(faces) or not tracks:
            return np.zeros((len(faces), len(tracks)))
        boxes, expected = faces.boxes, np.array([track.motion.expected(stamp) for track in tracks])
        sides, before = boxes[:, 2] - boxes[:, 0], expected[:, 2] - expected[:, 0]
        growth = sides[:, None] / np.maximum(before, 1e-6)
        between = (
            boxes[:, None, :2] + boxes[:, None, 2:] - expected[None, :, :2] - expected[None, :, 2:]
        ) / 2
        away = np.array([stamp - track.last_seen for track in tracks])
        distance = np.hypot(between[..., 0], between[..., 1]) / np.maximum(sides[:, None], before)
        fitness = 1.0 - distance / (REACH + REACH_PER_S * np.minimum(away, LONGEST_REACH_S))
        possible = (fitness > 0) & (growth < MOST_GROWTH) & (growth > 1 / MOST_GROWTH)
        if patches is not None:
            contested = possible.sum(axis=1) > 1
            for column, track in enumerate(tracks):
                if track.patch is not None:
                    fitness[:, column] += patches @ track.patch
                    possible[:, column] &= ~contested | (fitness[:, column] > LEAST_FITNESS)
        return np.where(possible, np.maximum(fitness, 1e-6), 0.0)


def box_iou(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair of boxes: [n, 4] and [m, 4], x1, y1, x2, y2 → float [n, m]."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    intersection = _area(high - low)
    union = _area(one[:, 2:] - one[:, :2])[:, None] + _area(other[:, 2:] - other[:, :2]) - intersection
    overlap: np.ndarray = np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0)
    return overlap


def share_inside(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which share of each box lies inside each of the others: [n, 4] and [m, 4] → float [n, m]."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(_area(high - low) / np.maximum(_area(boxes[:, 2:] - boxes[:, :2]), 1e-12)[:, None])


def _area(sides: np.ndarray) -> np.ndarray:
    """Of rectangles by their sides, [..., 2]; 0 of those turned inside out."""
    sides = np.maximum(sides, 0.0)
    return np.asarray(sides[..., 0] * sides[..., 1])
