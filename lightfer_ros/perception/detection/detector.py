"""What every face detector offers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame


class Detector(ABC):
    """Finds faces in a frame.

    All detectors give boxes in one convention, that of dlib and of the landmark predictor trained with it:
    a square from the brows to the chin, as wide as high.
    """

    name: str

    def __init__(self, scale: float, upsampling: int, threshold: float) -> None:
        """scale: size of the scanned picture, fraction of the frame. threshold: least confidence, 0 to 1."""
        self._scale = scale
        self._upsampling = upsampling
        self._threshold = threshold

    @abstractmethod
    def detect(self, frame: Frame) -> Faces:
        """All faces of the frame: boxes in the frame's pixels and confidence, the surest first."""
