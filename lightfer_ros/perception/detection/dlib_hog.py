"""dlib's frontal face detector: HOG features, a linear classifier, a sliding window. The paper's detector."""

from __future__ import annotations

import math

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

    def __init__(self, scale: float, upsampling: int, threshold: float) -> None:
        super().__init__(scale, upsampling, threshold)
        self._detector = dlib.get_frontal_face_detector()
        inside = min(max(threshold, 1e-6), 1 - 1e-6)
        self._least_score = max(math.log(inside / (1 - inside)), LOWEST_SCORE)

    def detect(self, frame: Frame) -> Faces:
        """See Detector.detect. dlib holds Python's interpreter lock while it scans."""
        grey = frame.grey
        if self._scale != 1.0:
            size = (max(1, round(frame.width * self._scale)), max(1, round(frame.height * self._scale)))
            shrinks = self._scale < 1.0
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        if min(grey.shape) * 2**self._upsampling < SMALLEST_SCAN_PX:
            return Faces.empty()
        rectangles, scores, _ = self._detector.run(
            np.ascontiguousarray(grey), self._upsampling, self._least_score
        )
        if not rectangles:
            return Faces.empty()
        # dlib's right and bottom are inclusive.
        boxes = np.array([(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles], np.float32)
        confidence = 1.0 / (1.0 + np.exp(-np.asarray(scores, np.float32)))
        found = Faces(
            boxes=boxes * (frame.width / grey.shape[1]),
            confidence=confidence,
            state=np.full(len(boxes), DETECTED, np.uint8),
        )
        return found[confidence >= self._threshold]
