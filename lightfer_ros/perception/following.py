"""Following known faces from frame to frame: by the flow of their pixels, and now and then by a new fit."""

from __future__ import annotations

import math
from typing import Dict, List, NamedTuple

import numpy as np

from lightfer_ros.perception.faces import TRACKED, Faces
from lightfer_ros.perception.few import among, median
from lightfer_ros.perception.flow import Chip, cut_chip, is_cut, is_inside, moved_landmarks
from lightfer_ros.perception.landmarks import LandmarkPredictor

FIT_INTERVAL_S = 0.3
"""Landmarks are fitted anew so often; in between, flow carries them, at a seventh of the time."""

TREMBLE, GROWTH_PER_S, MOST_RUN = 1.1, 1.0, 0.5
"""What grew or shrank by more between two frames (a fit trembles by a tenth; who comes running doubles in a
second), or strayed by more from where it was expected, in sides of its box, is not the face any more: the
predictor always answers, also where nobody is."""

MOST_GAP_S = 0.07
"""From a frame to one that is later by more, what lies around a face may change altogether without a cut."""


class Followed(NamedTuple):
    """Faces where they are now, and bool [n], which of them a face may have got there."""

    faces: Faces
    believable: np.ndarray


class Follower:
    """Keeps what each face's surroundings looked like in the newest frame, and finds it in the next."""

    def __init__(self, predictor: LandmarkPredictor) -> None:
        self._predictor = predictor
        self._chips: Dict[int, Chip] = {}
        self._earlier: Dict[int, Chip] = {}  # of the frame before
        self._steady = np.empty(0, np.int64)  # track_ids of who looked like themselves
        self._fitted: Dict[int, float] = {}  # track_id → stamp of the newest fit
        self._owed = 0.0  # what is left of a fit, for the next frame

    def follow(self, before: Faces, expected: Faces, grey: np.ndarray, stamp: float, gap: float) -> Followed:
        """The same people in a newer picture, by flow, or by a new fit where the flow is lost.

        before: in the frame before this one, `gap` seconds ago. expected: the same with boxes where they
        should be now. grey: uint8 [h, w].
        """
        landmarks = np.empty_like(before.landmarks)
        self._earlier, self._chips = self._chips, {}
        for index, track_id in enumerate(before.track_id.tolist()):
            chip = self._chips[track_id] = cut_chip(grey, expected.boxes[index])
            earlier, found = self._earlier.get(track_id), None
            if earlier is not None:
                found = moved_landmarks(earlier, chip, before.landmarks[index])
            if found is None:
                one = expected[index]
                found = self._predictor.predict(grey, one.boxes, _carried(before[index], one))[0]
                self._fitted[track_id] = stamp
            landmarks[index] = found
        return move_boxes(before, expected, landmarks, gap)

    def cut(self, track_ids: np.ndarray, doubted: np.ndarray, grey: np.ndarray, gap: float) -> np.ndarray:
        """bool [n]: who has other surroundings than in the frame before, as on a screen.

        doubted: bool [n], who is less like themselves than they should be; whoever was so before, for others
        walk past, is not cut. grey: uint8 [h, w], this frame, `gap` seconds later: after more than
        MOST_GAP_S, or over the edge of the picture, nobody is.
        """
        steady, self._steady = self._steady, track_ids[~doubted]
        if not doubted.any() or gap > MOST_GAP_S:
            return np.zeros(len(track_ids), bool)
        cut: np.ndarray = doubted & among(track_ids, steady)
        for index in np.flatnonzero(cut).tolist():
            chips = [each.get(int(track_ids[index])) for each in (self._earlier, self._chips)]
            both = [chip for chip in chips if chip is not None and is_inside(chip, grey)]
            cut[index] = len(both) == 2 and is_cut(*both)
        return cut

    def refit(
        self,
        before: Faces,
        expected: Faces,
        doubted: np.ndarray,
        grey: np.ndarray,
        stamp: float,
        gap: float,
    ) -> Followed:
        """Those of the same people who are doubted (bool [n]), by a new fit where they are expected."""
        carried = _carried(before, expected)
        landmarks = self._predictor.predict(grey, expected.boxes[doubted], carried[doubted])
        self._fitted.update(dict.fromkeys(before.track_id[doubted].tolist(), stamp))
        return move_boxes(before[doubted], expected[doubted], landmarks, gap)

    def refine(self, faces: Faces, grey: np.ndarray, stamp: float, gap: float) -> Faces:
        """The faces of this frame, those whose turn it is with landmarks fitted anew.

        Where a fit says that the face is another or elsewhere, flow is not believed in the next frame.
        """
        ages = [stamp - self._fitted.get(i, -math.inf) for i in faces.track_id.tolist()]
        due = np.array([index for index in self._due(ages, gap) if ages[index] > 0], np.intp)
        if not len(due):
            return faces
        found = self._predictor.predict(grey, faces.boxes[due], faces.landmarks[due])
        believable = move_boxes(faces[due], faces[due], found, 0.0).believable
        self._fitted.update(dict.fromkeys(faces.track_id[due].tolist(), stamp))
        for track_id in faces.track_id[due[~believable]].tolist():
            del self._chips[track_id]
        landmarks = faces.landmarks.copy()
        landmarks[due[believable]] = found[believable]
        return faces.replace(landmarks=landmarks)

    def found_elsewhere(self, faces: Faces, strayed: np.ndarray, grey: np.ndarray) -> Faces:
        """The faces of this frame, those who were followed to where they are not (bool [n]) fitted anew."""
        for track_id in faces.track_id[strayed].tolist():
            self._chips.pop(track_id, None)
        landmarks = faces.landmarks.copy()
        landmarks[strayed] = self._predictor.predict(grey, faces.boxes[strayed])
        return faces.replace(landmarks=landmarks)

    def remember(self, faces: Faces, grey: np.ndarray, stamp: float) -> None:
        """These are the faces of this frame; the next one is searched for them, and for nobody else."""
        chips, fitted = {}, {}
        for track_id, box in zip(faces.track_id.tolist(), faces.boxes):
            known = track_id in self._chips  # who is new, or known again, has just been fitted
            chips[track_id] = self._chips[track_id] if known else cut_chip(grey, box)
            fitted[track_id] = self._fitted.get(track_id, stamp) if known else stamp
        self._chips, self._fitted = chips, fitted

    def _due(self, ages: List[float], gap: float) -> List[int]:
        """Indices of who is fitted anew: whose fit would be too old in the next frame, and as many of the
        others, the oldest first, as keep the frames' loads even.

        ages: seconds since each face's last fit, infinite: never. gap: seconds from frame to frame.
        """
        if gap <= 0.0:  # nobody is followed then: all have just been found
            return []
        limit = 0.95 * FIT_INTERVAL_S  # stamps tremble
        self._owed, share = math.modf(self._owed + len(ages) / max(math.floor(limit / gap), 1))
        due = max(sum(age + gap > limit for age in ages), int(share))
        return sorted(range(len(ages)), key=lambda index: -ages[index])[:due]


def move_boxes(before: Faces, expected: Faces, landmarks: np.ndarray, gap: float) -> Followed:
    """Faces with new landmarks, float32 [n, 68, 2], and with boxes that moved and grew as these did."""
    # Medians: of a face half hidden by something, the smaller half of the points stays behind with it.
    shift = median(landmarks - before.landmarks, axis=1)
    old_centre = median(before.landmarks, axis=1)
    old, new = before.landmarks - old_centre[:, None], landmarks - (old_centre + shift)[:, None]
    old_spread, spread = np.hypot(old[..., 0], old[..., 1]), np.hypot(new[..., 0], new[..., 1])
    grown = median(spread / np.maximum(old_spread, 1e-3), axis=1)
    box_centre = (before.boxes[:, :2] + before.boxes[:, 2:]) / 2
    expected_centre = (expected.boxes[:, :2] + expected.boxes[:, 2:]) / 2
    side = before.sides
    new_centre = old_centre + shift + (box_centre - old_centre) * grown[:, None]
    half = (side * grown / 2)[:, None]
    ran = np.hypot(*(new_centre - expected_centre).T) / np.maximum(side, 1e-6)
    faces = before.replace(
        boxes=np.concatenate([new_centre - half, new_centre + half], axis=1),
        landmarks=landmarks,
        state=np.full(len(before), TRACKED, np.uint8),
    )
    most = TREMBLE + GROWTH_PER_S * gap
    return Followed(faces, (grown > 1 / most) & (grown < most) & (ran < MOST_RUN))


def _carried(before: Faces, expected: Faces) -> np.ndarray:
    """The landmarks of faces where their boxes are expected, float32 [n, 68, 2]."""
    shift = (expected.boxes[:, :2] + expected.boxes[:, 2:] - before.boxes[:, :2] - before.boxes[:, 2:]) / 2
    return np.asarray(before.landmarks + shift[:, None])
