"""Two predictors as one: dlib's landmarks of faces that look ahead, the mesh's of heads that are turned."""

from __future__ import annotations

from typing import Optional

import numpy as np

from lightfer_ros.perception.landmarks import (
    COUNT,
    EYE_LEFT_OUTER,
    EYE_RIGHT_OUTER,
    NOSE_TIP,
    LandmarkPredictor,
)
from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

TURNED = 0.2
"""How far the tip of the nose is from the middle between the outer corners of the eyes, along their line, in
their distances: 0.21 in the median of heads turned by 25°, where dlib's landmarks begin to fold back."""


class PairedLandmarkPredictor:
    """Asks dlib's predictor about faces that look ahead, and the mesh about those that do not.

    Whether a face is turned, its earlier landmarks tell; where there are none, a glance of the mesh:
    dlib's fold back beyond 30° and do not show it.
    """

    name = "dlib+mesh"

    def __init__(self, ahead: LandmarkPredictor, mesh: MeshLandmarkPredictor) -> None:
        """ahead: for faces that look ahead, dlib's."""
        self._ahead, self._mesh = ahead, mesh

    def predict(self, grey: np.ndarray, boxes: np.ndarray, before: Optional[np.ndarray] = None) -> np.ndarray:
        """See LandmarkPredictor.predict."""
        if not len(boxes):
            return np.empty((0, COUNT, 2), np.float32)
        seen = self._mesh.glance(grey, boxes) if before is None else before
        turned = is_turned(seen)
        found = np.empty((len(boxes), COUNT, 2), np.float32)
        found[turned] = self._mesh.predict(grey, boxes[turned], seen[turned])
        # The landmarks of a face that is half hidden can look turned; the mesh then makes it whole.
        turned[turned] = is_turned(found[turned])
        found[~turned] = self._ahead.predict(grey, boxes[~turned], seen[~turned])
        return found


def is_turned(landmarks: np.ndarray) -> np.ndarray:
    """bool [n]: which of the faces, float [n, 68, 2], are turned to the side by more than about 25°."""
    right, left, tip = (landmarks[:, point] for point in (EYE_RIGHT_OUTER, EYE_LEFT_OUTER, NOSE_TIP))
    across = left - right
    aside = ((tip - (right + left) / 2) * across).sum(axis=1)
    return np.asarray(np.abs(aside) > TURNED * (across**2).sum(axis=1))
