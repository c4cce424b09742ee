"""Following known faces by their landmarks between two scans of the whole frame."""

from __future__ import annotations

from typing import Tuple

import numpy as np

from lightfer_ros.perception.faces import TRACKED, Faces
from lightfer_ros.perception.landmarks import LandmarkPredictor


def follow(faces: Faces, grey: np.ndarray, predictor: LandmarkPredictor) -> Faces:
    """The same people in a newer picture: landmarks fitted anew from where each face was, boxes moved along.

    grey: uint8 [h, w]. Faces whose landmarks shrank, grew or ran away by more than a face can between two
    frames are left out: the predictor always answers, also where nobody is.
    """
    if not len(faces):
        return faces
    landmarks = predictor.predict(grey, faces.boxes)
    old_centre, old_spread = _centre_and_spread(faces.landmarks)
    centre, spread = _centre_and_spread(landmarks)
    grown = spread / np.maximum(old_spread, 1e-6)
    side = faces.boxes[:, 2] - faces.boxes[:, 0]
    moved = np.hypot(*(centre - old_centre).T) / np.maximum(side, 1e-6)
    believable = (grown > 0.8) & (grown < 1.25) & (moved < 0.5)
    box_centre = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
    new_centre = centre + (box_centre - old_centre) * grown[:, None]
    half = (side * grown / 2)[:, None]
    boxes = np.concatenate([new_centre - half, new_centre + half], axis=1)
    state = np.full(len(faces), TRACKED, np.uint8)
    return faces.replace(boxes=boxes, landmarks=landmarks, state=state)[believable]


def _centre_and_spread(landmarks: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Mean [n, 2] and root mean square distance from it [n] of each face's landmarks, pixels."""
    centre = landmarks.mean(axis=1)
    return centre, np.sqrt(((landmarks - centre[:, None]) ** 2).sum(axis=2).mean(axis=1))
