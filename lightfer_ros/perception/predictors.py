"""Which predictor of landmarks is made, by its name."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Optional, Tuple

from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.model import manifest
from lightfer_ros.perception.landmarks import LandmarkPredictor

if TYPE_CHECKING:
    from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

AUTO = "auto"

PREDICTORS: Tuple[str, ...] = ("dlib", "mesh")
"""The predictors by name; the library of each is imported only when it is made."""

_log = logging.getLogger(__name__)


def make_predictor(name: str, stop_fd: Optional[int] = None) -> LandmarkPredictor:
    """Make the predictor named; "auto": dlib's and, if it can be had, the mesh for turned or tilted heads.

    stop_fd: as DlibLandmarkPredictor has it. Raises ConfigurationError for an unknown one, ModelError where
    its file is missing or wrong, RuntimeUnavailableError without its library. "auto" does without the mesh
    then, and says so.
    """
    if name == AUTO:
        return _with_the_mesh_if_possible(make_predictor("dlib", stop_fd))
    if name == "dlib":
        from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor

        return DlibLandmarkPredictor(manifest.verified("shape_predictor_68"), stop_fd)
    if name == "mesh":
        return _mesh()
    raise ConfigurationError(f"landmarks is {name!r}, expected one of {', '.join((AUTO, *PREDICTORS))}")


def _with_the_mesh_if_possible(dlibs: LandmarkPredictor) -> LandmarkPredictor:
    from lightfer_ros.perception.paired_landmarks import PairedLandmarkPredictor

    try:
        return PairedLandmarkPredictor(dlibs, _mesh())
    except LightferError as error:
        _log.warning("landmarks mesh passed over: %s", error)
        return dlibs


def _mesh() -> MeshLandmarkPredictor:
    from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

    return MeshLandmarkPredictor(manifest.verified("face_mesh_192"))
