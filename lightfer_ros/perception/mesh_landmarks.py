"""68 landmarks per face out of MediaPipe's mesh of 468 points, also of heads turned to the side.

Kartynnik, Ablavatski, Grishchenko, Grundmann: Real-time Facial Surface Geometry from Monocular Video on
Mobile GPUs, 2019. The network sees a square of 192×192 pixels with the eyes level; models/face_mesh_192.md
says where its file comes from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import cv2
import numpy as np

from lightfer_ros.errors import ModelError
from lightfer_ros.perception.landmarks import COUNT, EYE_LEFT_OUTER, EYE_RIGHT_OUTER
from lightfer_ros.perception.onnx_network import one_thread_session

SIDE, VERTICES = 192, 468

# fmt: off
IBUG = np.array([
    127, 234, 93, 132, 172, 136, 149, 148, 152, 377, 378, 365, 397, 361, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107,  336, 296, 334, 293, 300,                                      # brows
    168, 197, 5, 4,  75, 97, 2, 326, 305,                                                # nose
    33, 160, 158, 133, 153, 144,  362, 385, 387, 263, 373, 380,                          # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,                                 # mouth, outside
    78, 82, 13, 312, 308, 317, 14, 87,                                                   # mouth, inside
])
# fmt: on
"""The mesh's vertex for each of iBUG's 68 landmarks: of those near, the ones whose places dlib's predictor
agrees with best on frontal photos, the same on both sides of the face."""

BOX_REACH, BOX_UP = 1.58, 0.03
"""A new face is looked at in an upright square of BOX_REACH sides of its box, BOX_UP above its middle."""

KNOWN_REACH, KNOWN_UP = 1.265, 0.13
"""A known one in a square of KNOWN_REACH diagonals of the upright rectangle around its 68 landmarks, KNOWN_UP
of its height above its middle. Both are where MediaPipe's own square lies in the median: one and a half times
the rectangle around the whole mesh, forehead and all (50 views of 10 faces; the side varies by 2 %)."""


class MeshLandmarkPredictor:
    """Finds the 68 landmarks of faces whose boxes or earlier landmarks are known. Not for several threads."""

    name = "mesh"

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelError for a bad file, RuntimeUnavailableError without ONNX Runtime."""
        what = f"landmarks mesh file {path}"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{what} cannot be read: {error}") from None
        self._network: Any = one_thread_session(content, what, "dlib")
        given = {each.name: each.shape for each in self._network.get_inputs()}
        if given != {"picture": [1, SIDE, SIDE, 3]}:
            raise ModelError(f"{what} has inputs {given}, expected picture [1, {SIDE}, {SIDE}, 3]")
        self._picture = np.empty((1, SIDE, SIDE, 3), np.float32)

    def predict(self, grey: np.ndarray, boxes: np.ndarray, before: Optional[np.ndarray] = None) -> np.ndarray:
        """See LandmarkPredictor.predict. With `before` a face takes one look, without it two."""
        found = np.empty((len(boxes), COUNT, 2), np.float32)
        for index, box in enumerate(boxes.astype(np.float64)):
            found[index] = self.mesh(grey, box, None if before is None else before[index])[IBUG, :2]
        return found

    def glance(self, grey: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """The landmarks of every box by one look each, float32 [n, 68, 2]: enough to see who is turned."""
        found = np.empty((len(boxes), COUNT, 2), np.float32)
        for index, box in enumerate(boxes.astype(np.float64)):
            found[index] = self._look(grey, _square_of_box(box))[IBUG, :2]
        return found

    def mesh(self, grey: np.ndarray, box: np.ndarray, before: Optional[np.ndarray] = None) -> np.ndarray:
        """The mesh of one face, float64 [468, 3]: pixels, and depth in about the same unit, larger behind.

        box: float [4]. before: float [68, 2] or None, as for `predict`.
        """
        if before is None:
            before = self._look(grey, _square_of_box(box))[IBUG, :2]
        return self._look(grey, _square_of_landmarks(before))

    def _look(self, grey: np.ndarray, square: np.ndarray) -> np.ndarray:
        """The mesh in one square, float64 [468, 3]. square: see _square; black lies outside the picture."""
        cut = cv2.warpAffine(grey, square, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        # The network was trained on colour and loses nothing by grey: docs/realtime.md.
        np.multiply(cut[:, :, None], np.float32(1 / 255), out=self._picture[0])
        (points,) = self._network.run(["points"], {"picture": self._picture})
        vertices = points.reshape(VERTICES, 3).astype(np.float64)
        scale = np.hypot(square[0, 0], square[1, 0])
        flat = (vertices[:, :2] - 0.5) @ square[:, :2].T + square[:, 2]
        return np.column_stack([flat, vertices[:, 2] * scale])


def _square_of_box(box: np.ndarray) -> np.ndarray:
    side = max(float((box[2:] - box[:2]).max()), 1.0)
    centre = (box[:2] + box[2:]) / 2 - 0.5 - [0.0, BOX_UP * side]
    return _square(centre, BOX_REACH * side, 1.0, 0.0)


def _square_of_landmarks(landmarks: np.ndarray) -> np.ndarray:
    points = landmarks.astype(np.float64)
    across = points[EYE_LEFT_OUTER] - points[EYE_RIGHT_OUTER]
    length = float(np.hypot(*across))
    cosine, sine = across / length if length > 0 else (1.0, 0.0)
    upright = points @ np.array([[cosine, -sine], [sine, cosine]])
    low, high = upright.min(axis=0), upright.max(axis=0)
    middle = (low + high) / 2 - [0.0, KNOWN_UP * (high[1] - low[1])]
    centre = np.array([[cosine, -sine], [sine, cosine]]) @ middle
    return _square(centre, KNOWN_REACH * max(float(np.hypot(*(high - low))), 1.0), cosine, sine)


def _square(centre: np.ndarray, side: float, cosine: float, sine: float) -> np.ndarray:
    """The transform from a pixel of the square to one of the picture, float64 [2, 3].

    Its x runs along (cosine, sine). A pixel's coordinates name its middle.
    """
    turn = side / SIDE * np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, centre - turn @ np.full(2, (SIDE - 1) / 2)])
