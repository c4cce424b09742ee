"""Noticing that the picture is another one altogether: the camera was switched, or a video cut."""

from __future__ import annotations

import math
from typing import Optional

import cv2
import numpy as np

SIZE = (32, 24)
"""Width and height of what is compared: as coarse as can be, so that who moves in it changes little."""

ROWS = 4
"""Rows of the picture that are averaged to one of those, evenly spread."""

LEAST_CORRELATION = 0.4
"""Two frames in a row are less alike across most cuts, and when the camera turns by a tenth of the picture or
more from one to the next (docs/realtime.md). Before a plain wall they are too where only somebody moves."""

SAME, MOST_OFFSET, STAYS = 2, 10, 0.25
"""It is no cut where so large a share of the picture stays as bright as it was, give or take SAME grey levels
and an offset of up to MOST_OFFSET that the share has in common: cameras adapt to who comes near. Across cuts
less than a fifth of the picture stays (docs/realtime.md)."""

BLACK = 20
"""Rows and columns that stay darker are bars beside a film, and stay through its cuts."""


class CutDetector:
    """Compares each frame with the one before, whatever the light; one without contrast is passed over."""

    def __init__(self) -> None:
        self._last: Optional[np.ndarray] = None
        self._last_contrast: Optional[np.ndarray] = None

    def is_cut(self, grey: np.ndarray) -> bool:
        """Whether this frame, uint8 [h, w], shows another scene than the one before."""
        # Some rows tell as much, and the picture has long left the processor's caches.
        rows = grey[:: max(len(grey) // (ROWS * SIZE[1]), 1)]
        small = cv2.resize(rows, SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        contrast = small.reshape(-1) - cv2.mean(small)[0]
        length = math.sqrt(contrast @ contrast)
        if length < contrast.size**0.5:  # less than a grey level of contrast: a lid before the lens
            return False
        contrast /= length
        last, self._last = self._last, small
        last_contrast, self._last_contrast = self._last_contrast, contrast
        if last is None or last_contrast is None or float(last_contrast @ contrast) >= LEAST_CORRELATION:
            return False
        return share_that_stays(last, small) < STAYS

    def reset(self) -> None:
        """Forget the last frame."""
        self._last = self._last_contrast = None


def share_that_stays(before: np.ndarray, after: np.ndarray) -> float:
    """The largest share of the picture, 0 to 1, that became brighter or darker by the same, and by little.

    before, after: float32 [h, w], grey levels.
    """
    lit = np.maximum(before, after) > BLACK
    change = (after - before)[lit.any(axis=1)][:, lit.any(axis=0)]
    levels = np.rint(change).astype(int).reshape(-1) + MOST_OFFSET + SAME
    most = 2 * (MOST_OFFSET + SAME)
    counts = np.bincount(levels[(levels >= 0) & (levels <= most)], minlength=most + 1)
    alike = np.convolve(counts, np.ones(2 * SAME + 1), "valid")
    return float(alike.max()) / max(len(levels), 1)
