"""dlib's frontal face detector: HOG features, a linear classifier, a sliding window. The paper's detector."""

from __future__ import annotations

import math
from typing import Optional, Tuple

import cv2
import dlib
import numpy as np

from lightfer_ros.perception.detection.detector import Detector
from lightfer_ros.perception.faces import DETECTED, Faces
from lightfer_ros.perception.frame import Frame

SMALLEST_SCAN_PX = 80
"""The sliding window's own size; a smaller picture holds no face that HOG can find, and dlib fails on it."""

LOWEST_SCORE = -1.0
"""Below this margin dlib returns thousands of windows and takes seconds to merge them."""


class DlibHogDetector(Detector):
    """Upright, nearly frontal faces from 80 px (from 40 px with one upsampling), on grey.

    Its score is a margin: 0 is the border between face and background. The confidence is the logistic of
    the score, 0.5 at that border.
    """

    name = "dlib_hog"
    own_threshold = 0.5
    search_side_px = 96.0

    def __init__(self, scale: float, upsampling: int, threshold: float) -> None:
        super().__init__(scale or 1.0, upsampling, threshold)
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, frame: Frame, least: Optional[float] = None) -> Faces:
        """See Detector.detect. dlib holds Python's interpreter lock while it scans."""
        least = self.threshold if least is None else least
        return self._run(frame.grey, self._scale, self._upsampling, least)

    def _find(self, frame: Frame, region: Tuple[int, int, int, int], scale: float, least: float) -> Faces:
        x1, y1, x2, y2 = region
        return self._run(frame.grey[y1:y2, x1:x2], scale, 0, least)

    def _run(self, grey: np.ndarray, scale: float, upsampling: int, least: float) -> Faces:
        height, width = grey.shape
        if scale != 1.0:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR)
        if min(grey.shape) * 2**upsampling < SMALLEST_SCAN_PX:
            return Faces.empty()
        # A copy where the rows of a region lie apart: dlib would misread them.
        rectangles, scores, _ = self._detector.run(np.ascontiguousarray(grey), upsampling, _score(least))
        if not rectangles:
            return Faces.empty()
        # dlib's right and bottom are inclusive.
        boxes = np.array([(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles], np.float32)
        confidence = 1.0 / (1.0 + np.exp(-np.asarray(scores, np.float32)))
        found = Faces(
            boxes=boxes * (width / grey.shape[1]),
            confidence=confidence,
            state=np.full(len(boxes), DETECTED, np.uint8),
        )
        return found[confidence >= least]


def _score(confidence: float) -> float:
    """The margin that stands for a confidence."""
    inside = min(max(confidence, 1e-6), 1 - 1e-6)
    return max(math.log(inside / (1 - inside)), LOWEST_SCORE)
