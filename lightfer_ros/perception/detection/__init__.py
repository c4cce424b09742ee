"""Finding faces: one interface, one file a detector."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Dict, Tuple

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.perception.detection.detector import Detector

__all__ = ["DETECTORS", "DetectionOptions", "Detector", "make_detector"]

_CLASSES: Dict[str, str] = {
    "dlib_hog": "lightfer_ros.perception.detection.dlib_hog:DlibHogDetector",
    "yunet": "lightfer_ros.perception.detection.yunet:YuNetDetector",
}
DETECTORS: Tuple[str, ...] = tuple(_CLASSES)
"""The detectors by name; each is imported only when it is made."""


@dataclass(frozen=True)
class DetectionOptions:
    """Which detector, and how it scans; the settings `detector` and `detection_*` explain each field."""

    detector: str
    scale: float = 1.0
    upsampling: int = 0
    threshold: float = 0.5


def make_detector(options: DetectionOptions) -> Detector:
    """Make the detector named. Raises ConfigurationError for an unknown one, ModelError without its file."""
    if options.detector not in _CLASSES:
        raise ConfigurationError(f"detector is {options.detector!r}, expected one of {', '.join(DETECTORS)}")
    module, name = _CLASSES[options.detector].split(":")
    detector: Detector = getattr(importlib.import_module(module), name)(
        options.scale, options.upsampling, options.threshold
    )
    return detector
