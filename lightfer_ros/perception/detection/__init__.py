"""Finding faces: one interface, one file a detector."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass, replace
from typing import Dict, Tuple

from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.perception.detection.detector import Detector

__all__ = ["AUTO", "DETECTORS", "DetectionOptions", "Detector", "make_detector"]

AUTO = "auto"

_CLASSES: Dict[str, str] = {
    "dlib_hog": "lightfer_ros.perception.detection.dlib_hog:DlibHogDetector",
    "yunet": "lightfer_ros.perception.detection.yunet:YuNetDetector",
}
DETECTORS: Tuple[str, ...] = tuple(_CLASSES)
"""The detectors by name; each is imported only when it is made."""

BEST_FIRST = ("yunet", "dlib_hog")
"""The order in which `auto` tries them: by recall, by range and by time (docs/realtime.md)."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DetectionOptions:
    """Which detector, and how it scans; the settings `detector` and `detection_*` explain each field."""

    detector: str
    scale: float = 0.0
    upsampling: int = 0
    threshold: float = 0.0


def make_detector(options: DetectionOptions) -> Detector:
    """Make the detector named, or the first that works here for "auto", and say why others were passed over.

    Raises ConfigurationError for an unknown one, ModelError without its file, RuntimeUnavailableError without
    its library.
    """
    if options.detector == AUTO:
        return _first_that_works(options)
    if options.detector not in _CLASSES:
        raise ConfigurationError(
            f"detector is {options.detector!r}, expected one of {', '.join((AUTO, *DETECTORS))}"
        )
    module, name = _CLASSES[options.detector].split(":")
    detector: Detector = getattr(importlib.import_module(module), name)(
        options.scale, options.upsampling, options.threshold
    )
    return detector


def _first_that_works(options: DetectionOptions) -> Detector:
    *others, last = BEST_FIRST
    for name in others:
        try:
            return make_detector(replace(options, detector=name))
        except LightferError as error:
            _log.warning("detector %s passed over: %s", name, error)
    return make_detector(replace(options, detector=last))
