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

SAME_PERSON = 0.6
"""Likeness from which a detection near several people is believed to be this one: living faces keep 0.64 and
more for a quarter of a second."""

NEAR = 0.05
"""Faces that overlap by more (IoU) may be taken for one another."""


class Known(NamedTuple):
    """Those who were in view a frame ago, where they are now.

    patch: float32 [n, k], what they look like. alike: float [n], how much they look like themselves, −1 to 1.
    alone: bool [n], nobody else is near, in view or just out of sight.
    """

    faces: Faces
    patch: np.ndarray
    alike: np.ndarray
    alone: np.ndarray


class Confirmed(NamedTuple):
    """Known faces as detections have confirmed them, n rows as before, and what is left of the detections.

    seen: bool [n], the detector sees a face there. confirmed: bool [n], and it is certainly this one: box,
    confidence and state are the detector's.
    """

    faces: Faces
    seen: np.ndarray
    confirmed: np.ndarray
    strangers: Faces


def confirm(known: Known, detected: Faces, least_alike: float, sure: float) -> Confirmed:
    """Give each detection to the known face that it overlaps best.

    Who does not look like themselves any more (below `least_alike`) and has somebody near is given none.
    """
    faces = known.faces
    overlap = box_iou(faces.boxes, detected.boxes)
    claims = (known.alike >= least_alike) | known.alone
    seen, confirmed = np.zeros(len(faces), bool), np.zeros(len(faces), bool)
    boxes, confidence, state = faces.boxes.copy(), faces.confidence.copy(), faces.state.copy()
    taken = np.zeros(len(detected), bool)
    for i, j in assign(np.where((overlap > SAME_FACE) & claims[:, None], overlap, 0.0)):
        seen[i] = taken[j] = True
        if overlap[i, j] >= SAME_BOX and (known.alone[i] or known.alike[i] >= SAME_PERSON):
            confirmed[i] = True
            boxes[i], confidence[i], state[i] = detected.boxes[j], detected.confidence[j], detected.state[j]
        elif known.alike[i] >= sure:
            boxes[i] += PART * (detected.boxes[j] - boxes[i])
    faces = faces.replace(boxes=boxes, confidence=confidence, state=state)
    return Confirmed(faces, seen, confirmed, detected[~taken])


def overlapping(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """int [n]: how many of the others each box overlaps."""
    return np.asarray((box_iou(boxes, others) > NEAR).sum(axis=1))
