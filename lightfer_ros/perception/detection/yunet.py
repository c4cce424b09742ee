"""YuNet, a small convolutional face detector, run by OpenCV; it also finds turned faces."""

from __future__ import annotations

import cv2
import numpy as np

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection.detector import Detector
from lightfer_ros.perception.faces import DETECTED, Faces
from lightfer_ros.perception.frame import Frame

OVERLAP = 0.3
"""Two boxes that overlap by more (IoU) are one face: the value of YuNet's authors."""

MOST_CANDIDATES = 5000

SIDE = 0.98
SHIFT_DOWN = 0.066
"""dlib's square has a side of SIDE · √(w·h) of YuNet's box, and its centre lies SHIFT_DOWN · h lower: medians
over 759 FER2013 training faces that both detectors found."""


class YuNetDetector(Detector):
    """Faces from about 10 px, turned ones too, on colour. Upsampling is dlib's word, of no meaning here."""

    name = "yunet"

    def __init__(self, scale: float, upsampling: int, threshold: float) -> None:
        super().__init__(scale, upsampling, threshold)
        if tuple(int(number) for number in cv2.__version__.split(".")[:2]) < (4, 8):
            # tried with 4.5.4, 4.6 and 4.7, which load the file and fail at the first frame
            raise ConfigurationError(
                f"detector yunet needs OpenCV 4.8 or newer, this is {cv2.__version__}: use dlib_hog, "
                "or pip install 'opencv-python-headless>=4.8,<5'"
            )
        path = manifest.find("yunet")
        manifest.verify(path, manifest.read_manifest()["yunet"])
        self._detector = cv2.FaceDetectorYN.create(
            str(path), "", (320, 320), threshold, OVERLAP, MOST_CANDIDATES
        )

    def detect(self, frame: Frame) -> Faces:
        """See Detector.detect."""
        size = (max(1, round(frame.width * self._scale)), max(1, round(frame.height * self._scale)))
        picture = frame.bgr
        if size != (frame.width, frame.height):
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        self._detector.setInputSize(size)
        _, rows = self._detector.detect(np.ascontiguousarray(picture))
        if rows is None:
            return Faces.empty()
        x, y, width, height = (rows[:, :4] * (frame.width / size[0])).T
        half = SIDE * np.sqrt(np.maximum(width * height, 0.0)) / 2
        centre_x, centre_y = x + width / 2, y + height / 2 + SHIFT_DOWN * height
        return Faces(
            boxes=np.stack([centre_x - half, centre_y - half, centre_x + half, centre_y + half], axis=1),
            confidence=np.clip(rows[:, 14], 0.0, 1.0),
            state=np.full(len(rows), DETECTED, np.uint8),
        )
