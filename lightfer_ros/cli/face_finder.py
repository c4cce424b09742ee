"""The one face that a picture is about, cut out as the node cuts it."""

from __future__ import annotations

import cv2
import numpy as np

from lightfer_ros.evaluation.faces import to_grey_square
from lightfer_ros.model import CropGeometry, Normalization
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.predictors import AUTO, make_predictor

SCANNED_PX = (192, 480)
"""Pictures are scanned with their shorter side at least, and their longer side about at most, so large:
HOG finds no face below 80 px, and FER2013's faces fill pictures of 48."""

RAW = Normalization(scale=1.0, offset=0.0)


class FaceFinder:
    """Cuts faces out by detector, landmarks and crop geometry; counts the pictures that show it none."""

    def __init__(self, detector: str, geometry: CropGeometry) -> None:
        """detector: its name, or "auto". Raises ModelError when a file is missing or wrong."""
        self._predictor = make_predictor(AUTO)
        self._detector = make_detector(DetectionOptions(detector))
        self._geometry = geometry
        self.detector = self._detector.name
        self.not_found = 0

    def __call__(self, picture: np.ndarray, size: int) -> np.ndarray:
        """The largest face in grey uint8 [h, w], as uint8 [size, size]; without any, its middle."""
        scanned = _scanned(picture)
        frame = Frame.from_array(scanned)
        faces = self._detector.detect(frame)
        if not len(faces):
            self.not_found += 1
            return to_grey_square(picture, size)
        largest = int(np.argmax(faces.sides))
        landmarks = self._predictor.predict(frame.grey, faces.boxes[largest : largest + 1])
        # Cut from the picture itself: what was enlarged for the detector would be blurred.
        factor = np.array(picture.shape[::-1], np.float32) / np.array(scanned.shape[::-1], np.float32)
        landmarks = (landmarks + 0.5) * factor - 0.5
        crop = to_crops(picture, landmarks.astype(np.float32), self._geometry, size, RAW)
        return np.asarray(np.rint(crop[0, :, :, 0]), np.uint8)


def _scanned(picture: np.ndarray) -> np.ndarray:
    height, width = picture.shape
    least, most = SCANNED_PX
    factor = max(least / min(height, width), min(1.0, most / max(height, width)))
    if factor == 1.0:
        return picture
    size = (round(width * factor), round(height * factor))
    how = cv2.INTER_AREA if factor < 1.0 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=how))
