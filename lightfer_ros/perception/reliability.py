"""How far a view of a face allows a judgement at all, and what speaks against it."""

from __future__ import annotations

from typing import Tuple

import cv2
import numpy as np

from lightfer_ros.model import Normalization
from lightfer_ros.perception.faces import BLURRED, CUT, DARK, SMALL, STALE, TURNED, UNCERTAIN, Faces

YAW_DEG, PITCH_DEG = (15.0, 35.0), (20.0, 35.0)
SIDE_PX = (48.0, 24.0)
SHARPNESS = (0.16, 0.06)
CONTRAST = (20.0, 8.0)
CUT_SHARE = (0.1, 0.3)
PROBABILITY = (0.5, 0.3)
AGE_S = (0.2, 0.6)
"""Each from where it begins to count to where a judgement is worth nothing (docs/realtime.md); the reason is
given from half the way on."""

VIEW_REASONS = (TURNED, SMALL, BLURRED, DARK, CUT)


def judge(
    faces: Faces, crops: np.ndarray, normalization: Normalization, width: int, height: int
) -> Tuple[np.ndarray, np.ndarray]:
    """How good a view is, 0 to 1, float32 [n], and what spoils it, uint16 [n], of faces and their crops.

    faces: with boxes and pose. crops: float32 [n, size, size, c], as `to_crops` makes them
    with that normalization. width, height: of the picture, pixels.
    """
    if not len(faces):
        return np.empty(0, np.float32), np.empty(0, np.uint16)
    sharpness, contrast = _sharpness_and_contrast(crops, normalization)
    yaw, pitch = _or(np.abs(faces.pose[:, :2]), np.inf).T  # what has no pose is no frontal face
    worths = np.stack(
        [
            np.minimum(_worth(yaw, YAW_DEG), _worth(pitch, PITCH_DEG)),
            _worth(faces.sides, SIDE_PX),
            _worth(sharpness, SHARPNESS),
            _worth(contrast, CONTRAST),
            _worth(_share_outside(faces.boxes, width, height), CUT_SHARE),
        ],
        axis=1,
    )
    reasons = (worths < 0.5) @ np.array(VIEW_REASONS)
    return worths.prod(axis=1).astype(np.float32), reasons.astype(np.uint16)


def as_told(faces: Faces) -> Faces:
    """The same faces, less reliable than their view where the distribution that is told, smoothed as it is,
    names no expression, and for each classification that is too old to speak for this picture."""
    certain = _worth(_or(faces.probabilities, 0.0).max(axis=1), PROBABILITY)
    fresh = _worth(_or(faces.classification_age, np.inf), AGE_S)
    reasons = faces.unreliable_reasons & ~np.uint16(UNCERTAIN | STALE)
    reasons |= np.where(certain < 0.5, np.uint16(UNCERTAIN), np.uint16(0))
    reasons |= np.where(fresh < 0.5, np.uint16(STALE), np.uint16(0))
    return faces.replace(reliability=faces.reliability * certain * fresh, unreliable_reasons=reasons)


def _or(values: np.ndarray, unset: float) -> np.ndarray:
    """The values, and another one instead of NaN; np.nan_to_num takes ten times as long."""
    return np.where(np.isnan(values), np.float32(unset), values)


def _worth(values: np.ndarray, bounds: Tuple[float, float]) -> np.ndarray:
    good, bad = bounds
    share = (np.minimum(values, 1e6) - bad) / (good - bad)
    return np.asarray(np.minimum(np.maximum(share, 0.0), 1.0))


def _share_outside(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """float [n]: how much of each box lies outside the picture."""
    size = np.array([width, height], float)
    low, high = (np.minimum(np.maximum(corner, 0.0), size) for corner in (boxes[:, :2], boxes[:, 2:]))
    inside = high - low
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return np.asarray(1.0 - inside.prod(axis=1) / np.maximum(whole, 1e-6))


def _sharpness_and_contrast(crops: np.ndarray, normalization: Normalization) -> Tuple[np.ndarray, np.ndarray]:
    """Of each crop: second differences over contrast, where they are less, and contrast in grey levels.

    Motion blurs along one direction only. Sharpness does not depend on the light; both are taken at 48×48.
    """
    grey = crops[..., 0] if crops.shape[3] == 1 else crops.mean(axis=3)
    if grey.shape[1:] != (48, 48):
        grey = np.stack([cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA) for face in grey])
    contrast = _spread(grey) / normalization.scale
    down = _spread(grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2])
    across = _spread(grey[:, :, 2:] - 2 * grey[:, :, 1:-1] + grey[:, :, :-2])
    return np.minimum(down, across) / normalization.scale / np.maximum(contrast, 1.0), contrast


def _spread(maps: np.ndarray) -> np.ndarray:
    """The standard deviation of each map, float [n] of [n, h, w]; np.std takes twice as long."""
    flat = maps.reshape(len(maps), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", flat, flat) / flat.shape[1]))
