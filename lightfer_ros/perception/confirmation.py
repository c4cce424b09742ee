"""Which detection confirms which known face, and how far it is to be believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lightfer_ros.perception.assignment import assign
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.tracking import box_iou

SAME_FACE = 0.3
"""A detection and a known face belong together where they overlap by more (IoU)."""

SAME_BOX = 0.78
"""Where they overlap by less than this, the detector may have seen the visible part of a face that is half
hidden: only PART of the way to its box is gone."""

PART = 0.15

SAME_PLACE = 0.64
"""Who is cut and overlapped by more is replaced; where the camera jerks, a face goes further in one frame, or
less than what compares its surroundings looks for."""

SAME_PERSON = 0.6
"""Likeness from which a detection near several people is believed to be this one: living faces keep 0.64 and
more for a quarter of a second."""

WHOLE = 0.4
"""A detection as sure as this, on the way from the detector's threshold to 1, is of a whole face: YuNet gives
those 0.9, and 0.6 to 0.85 to faces half hidden (docs/realtime.md)."""

SURE, LOST = 0.8, 0.6
"""Likeness of a followed face to itself when it was last detected: from the first on nobody doubts; below the
second it is not the face any more. Living faces keep 0.64 and more for a quarter of a second, a pillar or
another's cheek has less than 0.3 (docs/realtime.md)."""

NEAR = 0.05
"""Faces that overlap by more (IoU) may be taken for one another."""


class Known(NamedTuple):
    """Those who were in view a frame ago, where they are now.

    patch: float32 [n, k], what they look like. alike: float [n], how much they look like themselves, −1 to 1.
    alone: bool [n], nobody else is near, in view or just out of sight. cut: bool [n], what lies around them
    has become something else from one frame to the next, as on a screen.
    """

    faces: Faces
    patch: np.ndarray
    alike: np.ndarray
    alone: np.ndarray
    cut: np.ndarray


class Confirmed(NamedTuple):
    """Known faces as detections have confirmed them, n rows as before, and what is left of the detections.

    seen: bool [n], the detector sees a face there. whole: bool [n], and is sure that it sees all of it.
    confirmed: bool [n], and it is certainly this one: box, confidence and state are the detector's.
    strayed: bool [n], of the confirmed, whose landmarks and looks are of another place than that box.
    replaced: bool [n], who was cut, and somebody else, of the strangers, is seen there.
    """

    faces: Faces
    seen: np.ndarray
    whole: np.ndarray
    confirmed: np.ndarray
    strayed: np.ndarray
    replaced: np.ndarray
    strangers: Faces


def confirm(known: Known, detected: Faces, whole: np.ndarray) -> Confirmed:
    """Give each detection to the known face that it overlaps best.

    whole: bool [m], the detector is sure to see a whole face. Who does not look like themselves any more
    (below LOST) is given none, unless they are alone and the boxes are nearly the same; nor is who
    was cut.
    """
    faces = known.faces
    if not len(detected):
        nobody = np.zeros(len(faces), bool)
        return Confirmed(faces, nobody, nobody, nobody, nobody, nobody, detected)
    overlap = box_iou(faces.boxes, detected.boxes)
    same_box, alike = overlap >= SAME_BOX, known.alike[:, None]
    claims = (
        (overlap > SAME_FACE) & ~known.cut[:, None] & ((alike >= LOST) | (known.alone[:, None] & same_box))
    )
    certain = same_box & (known.alone | (known.alike >= SAME_PERSON))[:, None]
    # Who strayed from a whole face that nobody else can be is put back.
    certain |= whole & known.alone[:, None] & (alike < SURE)
    seen, all_seen, confirmed, strayed = (np.zeros(len(faces), bool) for _ in range(4))
    boxes, confidence, state = faces.boxes.copy(), faces.confidence.copy(), faces.state.copy()
    taken = np.zeros(len(detected), bool)
    for i, j in assign(np.where(claims, overlap, 0.0)):
        seen[i] = taken[j] = True
        all_seen[i] = whole[j]
        if certain[i, j]:
            confirmed[i], strayed[i] = True, not same_box[i, j]
            boxes[i], confidence[i], state[i] = detected.boxes[j], detected.confidence[j], detected.state[j]
        elif known.alike[i] >= SURE:
            boxes[i] += PART * (detected.boxes[j] - boxes[i])
    faces = faces.replace(boxes=boxes, confidence=confidence, state=state)
    replaced = known.cut & (overlap > SAME_PLACE)[:, ~taken].any(axis=1)
    return Confirmed(faces, seen, all_seen, confirmed, strayed, replaced, detected[~taken])


def overlapping(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """int [n]: how many of the others each box overlaps."""
    return np.asarray((box_iou(boxes, others) > NEAR).sum(axis=1))


def are_alone(boxes: np.ndarray, everybody: np.ndarray) -> np.ndarray:
    """bool [n]: whether each box overlaps one at most of those of everybody, [m, 4]: its own."""
    if len(everybody) <= 1:
        return np.ones(len(boxes), bool)
    return np.asarray(overlapping(boxes, everybody) <= 1)
