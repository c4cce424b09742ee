"""Noticing that the picture is another one altogether: the camera was switched, or a video cut."""

from __future__ import annotations

from typing import Optional

import cv2
import numpy as np

SIZE = (32, 24)
"""Width and height of what is compared: as coarse as can be, so that who moves in it changes little."""

LEAST_CORRELATION = 0.4
"""Two frames in a row are less alike across most cuts, and when the camera turns by a tenth of the picture or
more from one to the next (docs/realtime.md)."""


class CutDetector:
    """Compares each frame with the one before, whatever the light; one without contrast is passed over."""

    def __init__(self) -> None:
        self._last: Optional[np.ndarray] = None

    def is_cut(self, grey: np.ndarray) -> bool:
        """Whether this frame, uint8 [h, w], shows another scene than the one before."""
        small = cv2.resize(grey, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32).reshape(-1)
        small -= small.mean()
        length = float(np.linalg.norm(small))
        if length < len(small) ** 0.5:  # less than a grey level of contrast: a lid before the lens
            return False
        small /= length
        last, self._last = self._last, small
        return last is not None and float(last @ small) < LEAST_CORRELATION

    def reset(self) -> None:
        """Forget the last frame."""
        self._last = None
