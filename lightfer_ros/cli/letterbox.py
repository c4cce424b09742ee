"""A picture in a frame of another shape, whole, with black beside it."""

from __future__ import annotations

from typing import Tuple

import cv2
import numpy as np


def letterbox(bgr: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """A uint8 [h, w, 3] picture scaled into `size` (width, height), as large as it fits."""
    width, height = size
    factor = min(width / bgr.shape[1], height / bgr.shape[0])
    inner = (max(1, round(bgr.shape[1] * factor)), max(1, round(bgr.shape[0] * factor)))
    how = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_LINEAR
    scaled = bgr if inner == bgr.shape[1::-1] else cv2.resize(bgr, inner, interpolation=how)
    if inner == (width, height):
        return np.asarray(scaled)
    frame = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    frame[top : top + inner[1], left : left + inner[0]] = scaled
    return frame
