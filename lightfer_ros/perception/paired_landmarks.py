"""Two predictors as one: dlib's landmarks of faces that look ahead, the mesh's of heads turned or tilted."""

from __future__ import annotations

from typing import Optional

import numpy as np

from lightfer_ros.perception.landmarks import (
    COUNT,
    EYE_LEFT_OUTER,
    EYE_RIGHT_OUTER,
    NOSE_TIP,
    LandmarkPredictor,
    tilt_deg,
)
from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

TURNED = 0.2
"""How far the tip of the nose is from the middle between the outer corners of the eyes, along their line, in
their distances: 0.21 in the median of heads turned by 25°, where dlib's landmarks begin to fold back."""

TILT_DEG = (15.0, 20.0)
"""How far the line through the eyes is from level: up to the first dlib is believed alone, from the second on
the mesh, and in between both by shares, so that a head that stays near a limit does not jump from one's
landmarks to the other's. dlib's first misfits among drawn heads are at 20°."""

GLANCED_TILT_DEG = 8.0
"""A glance is upright and sees too little of a tilt: 21° of 40°, 14° of 45°, 10° of 50° in the median. From
here on a new face is worth a second look, along the eyes."""


class PairedLandmarkPredictor:
    """Asks dlib's predictor about faces that look ahead, and the mesh about those turned or tilted.

    Which they are, their earlier landmarks tell; where there are none, a glance of the mesh: dlib's fold back
    beyond 30° of yaw, and miss the face beyond 30° of tilt, and do not show it.
    """

    name = "dlib+mesh"

    def __init__(self, ahead: LandmarkPredictor, mesh: MeshLandmarkPredictor) -> None:
        """ahead: for faces that look ahead, dlib's."""
        self._ahead, self._mesh = ahead, mesh

    def predict(self, grey: np.ndarray, boxes: np.ndarray, before: Optional[np.ndarray] = None) -> np.ndarray:
        """See LandmarkPredictor.predict."""
        found = np.zeros((len(boxes), COUNT, 2), np.float32)
        if not len(boxes):
            return found
        seen = self._mesh.glance(grey, boxes) if before is None else before
        asked = is_turned(seen) | (
            np.abs(tilt_deg(seen)) > (GLANCED_TILT_DEG if before is None else TILT_DEG[0])
        )
        found[asked] = self._mesh.predict(grey, boxes[asked], seen[asked])
        # The landmarks of a face that is half hidden can look turned; the mesh then makes it whole.
        share = np.zeros(len(boxes), np.float32)
        share[asked] = mesh_share(found[asked])
        partly = share < 1
        dlibs = self._ahead.predict(grey, boxes[partly], seen[partly])
        found[partly] = dlibs + share[partly, None, None] * (found[partly] - dlibs)
        return found


def mesh_share(landmarks: np.ndarray) -> np.ndarray:
    """float [n]: how far to believe the mesh about faces, float [n, 68, 2], 1: alone, 0: dlib alone."""
    start, full = TILT_DEG
    tilted = np.clip((np.abs(tilt_deg(landmarks)) - start) / (full - start), 0.0, 1.0)
    return np.asarray(np.where(is_turned(landmarks), 1.0, tilted))


def is_turned(landmarks: np.ndarray) -> np.ndarray:
    """bool [n]: which of the faces, float [n, 68, 2], are turned to the side by more than about 25°."""
    right, left, tip = (landmarks[:, point] for point in (EYE_RIGHT_OUTER, EYE_LEFT_OUTER, NOSE_TIP))
    across = left - right
    aside = ((tip - (right + left) / 2) * across).sum(axis=1)
    return np.asarray(np.abs(aside) > TURNED * (across**2).sum(axis=1))
