"""How far a view of a face allows a judgement at all, and what speaks against it."""

from __future__ import annotations

import math
from typing import Sequence, Tuple

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
    seen = (faces.pose, faces.sides, *_sharpness_and_contrast(crops, normalization), faces.boxes)
    reliability, reasons = [], []
    for (yaw, pitch, _), side, sharpness, contrast, box in zip(*(each.tolist() for each in seen)):
        worths = (
            min(_worth(abs(yaw), YAW_DEG), _worth(abs(pitch), PITCH_DEG)),
            _worth(side, SIDE_PX),
            _worth(sharpness, SHARPNESS),
            _worth(contrast, CONTRAST),
            _worth(_share_outside(box, width, height), CUT_SHARE),
        )
        reliability.append(math.prod(worths))
        reasons.append(sum(reason for reason, worth in zip(VIEW_REASONS, worths) if worth < 0.5))
    return np.array(reliability, np.float32), np.array(reasons, np.uint16)


def as_told(faces: Faces) -> Faces:
    """The same faces, less reliable than their view where the distribution that is told, smoothed as it is,
    names no expression, and for each classification that is too old to speak for this picture."""
    reliability, reasons = faces.reliability.tolist(), faces.unreliable_reasons.tolist()
    seen = faces.probabilities.max(axis=1), faces.classification_age
    for index, (probability, age) in enumerate(zip(*(each.tolist() for each in seen))):
        certain, fresh = _worth(probability, PROBABILITY), _worth(age, AGE_S)
        reliability[index] *= certain * fresh
        reasons[index] &= ~(UNCERTAIN | STALE)
        reasons[index] |= (UNCERTAIN if certain < 0.5 else 0) | (STALE if fresh < 0.5 else 0)
    return faces.replace(reliability=np.array(reliability), unreliable_reasons=np.array(reasons))


def _worth(value: float, bounds: Tuple[float, float]) -> float:
    """From 1 at the good bound to 0 at the bad one; of what is not known (NaN) nothing."""
    good, bad = bounds
    return min(max(0.0, (value - bad) / (good - bad)), 1.0)  # 0.0 first: it wins over NaN


def _share_outside(box: Sequence[float], width: int, height: int) -> float:
    """How much of a box, x1, y1, x2, y2, lies outside the picture."""
    x1, y1, x2, y2 = box
    across, down = min(x2, width) - max(x1, 0.0), min(y2, height) - max(y1, 0.0)
    return 1.0 - max(across, 0.0) * max(down, 0.0) / max((x2 - x1) * (y2 - y1), 1e-6)


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
    flat = flat - flat.sum(axis=1, keepdims=True) / flat.shape[1]
    return np.asarray(np.sqrt(np.einsum("ij,ij->i", flat, flat) / flat.shape[1]))
