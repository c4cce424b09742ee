"""What every face detector offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Optional, Tuple

import cv2
import numpy as np

from lightfer_ros.perception.alignment import reduction, warped
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame

SEARCH_REACH = 2.0
"""A face is searched in a square of so many times its own side."""

LEVEL_DEG = 25.0
"""Detectors find faces that are tilted by less (docs/realtime.md)."""


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

    def search(
        self, frame: Frame, box: np.ndarray, least: Optional[float] = None, tilt_deg: float = 0.0
    ) -> Faces:
        """The faces around `box`, float [4], about as large as it, at a fraction of what `detect` costs.

        tilt_deg: how far the face should be tilted, as `landmarks.tilt_deg` has it: beyond LEVEL_DEG the
        surroundings are turned upright, since detectors find few faces that are tilted by more than 30.
        """
        side = max(float(box[2] - box[0]), 1.0)
        centre = (box[:2] + box[2:]) / 2
        least = self.threshold if least is None else least
        if abs(tilt_deg) > LEVEL_DEG:
            found = self._search_turned(frame, centre, side, least, tilt_deg)
            if len(found):
                return found  # else the tilt may be none: the eyes of who looks aside and down are not level
        size = (frame.width, frame.height)
        reach = SEARCH_REACH * side / 2
        x1, y1 = (int(min(max(low, 0), most)) for low, most in zip((centre - reach).tolist(), size))
        x2, y2 = (int(min(max(high, 0), most)) for high, most in zip(np.ceil(centre + reach).tolist(), size))
        if x2 - x1 < side / 2 or y2 - y1 < side / 2:
            return Faces.empty()
        found = self._find(frame, (x1, y1, x2, y2), self.search_side_px / side, least)
        return found.replace(boxes=found.boxes + np.array([x1, y1, x1, y1], np.float32))

    def _search_turned(
        self, frame: Frame, centre: np.ndarray, side: float, least: float, tilt_deg: float
    ) -> Faces:
        scale, size = self.search_side_px / side, round(SEARCH_REACH * self.search_side_px)
        upright = np.asarray(cv2.getRotationMatrix2D(centre.tolist(), tilt_deg, scale), np.float64)
        upright[:, 2] += size / 2 - centre
        square = Frame.from_array(warped(frame.bgr, upright, size, reduction(upright)))
        found = self._find(square, (0, 0, size, size), 1.0, least)
        turned = cv2.invertAffineTransform(upright)
        middles = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2 @ turned[:, :2].T + turned[:, 2]
        half = (found.boxes[:, 2:] - found.boxes[:, :2]) / (2 * scale)
        return found.replace(boxes=np.concatenate([middles - half, middles + half], axis=1))

    @abstractmethod
    def _find(self, frame: Frame, region: Tuple[int, int, int, int], scale: float, least: float) -> Faces:
        """The faces in a region of the frame (x1, y1, x2, y2), scaled first; boxes count from its corner."""
