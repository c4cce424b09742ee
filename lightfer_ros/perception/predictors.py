"""What finds the 68 landmarks of faces whose places are known: one interface, and which predictor is made."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Optional, Protocol, Tuple

import numpy as np

from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.model import manifest

if TYPE_CHECKING:
    from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

AUTO = "auto"

PREDICTORS: Tuple[str, ...] = ("dlib", "mesh")
"""The predictors by name; the library of each is imported only when it is made."""

_log = logging.getLogger(__name__)


class Predictor(Protocol):
    """Finds 68 landmarks a face, in iBUG's order. Used by one thread."""

    @property
    def name(self) -> str:
        """What the setting `landmarks` calls it."""

    def predict(self, grey: np.ndarray, boxes: np.ndarray, before: Optional[np.ndarray] = None) -> np.ndarray:
        """The landmarks of every box.

        grey: uint8 [h, w], rows contiguous. boxes: float32 [n, 4], x1, y1, x2, y2, as a Detector has them.
        before: where the landmarks should be by an earlier frame, float32 [n, 68, 2]; None where the faces
        are new. Returns float32 [n, 68, 2], pixels; n may be 0.
        """


def make_predictor(name: str, stop_fd: Optional[int] = None) -> Predictor:
    """Make the predictor named; for "auto" dlib's with the mesh for turned heads, where the mesh can be had.

    stop_fd: as LandmarkPredictor has it. Raises ConfigurationError for an unknown one, ModelError where its
    file is missing or wrong, RuntimeUnavailableError without its library. "auto" does without the mesh then,
    and says so.
    """
    if name == AUTO:
        return _with_the_mesh_if_possible(make_predictor("dlib", stop_fd))
    if name == "dlib":
        from lightfer_ros.perception.landmarks import LandmarkPredictor

        return LandmarkPredictor(manifest.verified("shape_predictor_68"), stop_fd)
    if name == "mesh":
        return _mesh()
    raise ConfigurationError(f"landmarks is {name!r}, expected one of {', '.join((AUTO, *PREDICTORS))}")


def _with_the_mesh_if_possible(dlibs: Predictor) -> Predictor:
    from lightfer_ros.perception.paired_landmarks import PairedLandmarkPredictor

    try:
        return PairedLandmarkPredictor(dlibs, _mesh())
    except LightferError as error:
        _log.warning("landmarks mesh passed over: %s", error)
        return dlibs


def _mesh() -> MeshLandmarkPredictor:
    from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

    return MeshLandmarkPredictor(manifest.verified("face_mesh_192"))
