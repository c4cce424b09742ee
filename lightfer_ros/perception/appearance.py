"""What a face looked like a moment ago: small upright patches, which tell whether one still looks at it.

A patch lives as long as its track, `track_timeout_s` after the face is out of sight; nobody is recognised by
it later.
"""

from __future__ import annotations

import numpy as np

from lightfer_ros.model import CropGeometry
from lightfer_ros.perception.alignment import crop_transforms, reduction, warped

SIDE = 16
"""Pixels of a patch's side: enough for brows, eyes, nose and mouth; a wink changes little."""

FRAMING = CropGeometry(eye_distance=0.40, eye_y=0.30, mouth_y=0.80)

FINEST = 4
"""A patch is read at up to so many times its size and averaged down, so that it does not flicker."""


def patches(grey: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """What each face looks like, whatever the light: without mean, of length 1.

    grey: uint8 [h, w]. landmarks: float32 [n, 68, 2], pixels. Returns float32 [n, SIDE²]; a surface without
    any contrast is all zeros, and like nothing.
    """
    rows = np.empty((len(landmarks), SIDE * SIDE), np.float32)
    if not len(rows):
        return rows
    for row, transform in zip(rows, crop_transforms(landmarks, FRAMING, SIDE)):
        row[:] = warped(grey, transform, SIDE, reduction(transform, 2, FINEST)).reshape(-1)
    rows -= rows.sum(axis=1, keepdims=True) / SIDE**2
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= np.where(length > SIDE, length, np.inf)[:, None]  # contrast of a grey level and more
    return rows
