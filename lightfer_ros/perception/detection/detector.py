"""What every face detector offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Optional, Tuple

import numpy as np

from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame

SEARCH_REACH = 2.0
"""A face is searched in a square of so many times its own side."""


class Detector(ABC):
    """Finds faces in a frame, or around a place where one should be.

    All detectors give boxes in one convention, that of dlib and of the landmark predictor trained with it:
    a square from the brows to the chin, as wide as high.
    """

    name: str
    own_threshold: float
    """Least confidence of its own choice: with it, hardly anything is taken for a face that is none."""
    search_side_px: float
    """How large a face is made before it is searched: as small as the detector finds reliably."""

    def __init__(self, scale: float, upsampling: int, threshold: float) -> None:
        """scale: size of the scanned picture, fraction of the frame. threshold: least confidence, 0 to 1.

        0 leaves either to the detector.
        """
        self._scale = scale
        self._upsampling = upsampling
        self.threshold = threshold or self.own_threshold

    @abstractmethod
    def detect(self, frame: Frame, least: Optional[float] = None) -> Faces:
        """All faces of the frame: boxes in the frame's pixels and confidence, the surest first.

        least: confidence from which on, `threshold` unless given.
        """

    def search(self, frame: Frame, box: np.ndarray, least: Optional[float] = None) -> Faces:
        """The faces around `box`, float [4], about as large as it, at a fraction of what `detect` costs."""
        side = max(float(box[2] - box[0]), 1.0)
        centre = (box[:2] + box[2:]) / 2
        size = (frame.width, frame.height)
        reach = SEARCH_REACH * side / 2
        x1, y1 = (int(min(max(low, 0), most)) for low, most in zip((centre - reach).tolist(), size))
        x2, y2 = (int(min(max(high, 0), most)) for high, most in zip(np.ceil(centre + reach).tolist(), size))
        if x2 - x1 < side / 2 or y2 - y1 < side / 2:
            return Faces.empty()
        least = self.threshold if least is None else least
        found = self._find(frame, (x1, y1, x2, y2), self.search_side_px / side, least)
        return found.replace(boxes=found.boxes + np.array([x1, y1, x1, y1], np.float32))

    @abstractmethod
    def _find(self, frame: Frame, region: Tuple[int, int, int, int], scale: float, least: float) -> Faces:
        """The faces in a region of the frame (x1, y1, x2, y2), scaled first; boxes count from its corner."""
