"""Photos of faces with their heads turned: each face becomes a surface in space, turned and drawn anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import Detector
from lightfer_ros.perception.frame import Frame

# fmt: off
OUTLINE = np.array([
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
])
# fmt: on
"""The mesh's vertices on its rim."""

RINGS = ((1.12, 0.35), (1.35, 1.0), (1.8, 1.6))
"""The head behind the face and what lies around it: the rim grown so many times, so many half widths of the
face further back."""

SIDE_PX, MARGIN = 160, 1.5
"""Each face is made that large, with a margin of so many of its sides around it."""

AXIS_BACK = 0.3
"""The head turns about an axis that many half widths of the face behind the rim."""


def portraits(name: str, detector: Detector) -> Iterator[tuple[Frame, np.ndarray]]:
    """Each face of a fetched photo in a picture of its own, and its box there, float32 [4].

    Raises ModelError where the photo is missing.
    """
    photo = np.asarray(cv2.imread(str(manifest.find(name))))
    away, size = MARGIN * SIDE_PX, round((1 + 2 * MARGIN) * SIDE_PX)
    box = np.array([away, away, away + SIDE_PX, away + SIDE_PX], np.float32)
    for x1, y1, x2, _ in detector.detect(Frame.from_array(photo)).boxes.tolist():
        scale = SIDE_PX / (x2 - x1)
        place = np.array([[scale, 0, away - scale * x1], [0, scale, away - scale * y1]])
        cut = cv2.warpAffine(photo, place, (size, size), borderMode=cv2.BORDER_REPLICATE)
        yield Frame.from_array(np.asarray(cut)), box


@dataclass(frozen=True, eq=False)
class Turned:
    """A photo with one head turned.

    picture: uint8 [h, w, 3] BGR. transforms: float64 [t, 2, 3], from the photo into it, for each triangle.
    """

    picture: np.ndarray
    triangulation: Any
    transforms: np.ndarray

    def carry(self, points: np.ndarray) -> np.ndarray:
        """Where points of the photo, float [n, 2] on or around the face, are now: float64 [n, 2]."""
        transforms = self.transforms[self.triangulation.find_simplex(points)]
        return np.asarray(np.einsum("nij,nj->ni", transforms[:, :, :2], points) + transforms[:, :, 2])


class Surface:
    """One face of a photo as a surface in space."""

    def __init__(self, photo: np.ndarray, mesh: np.ndarray) -> None:
        """photo: uint8 [h, w, 3] BGR. mesh: float64 [468, 3], as MeshLandmarkPredictor.mesh has it."""
        from scipy.spatial import Delaunay

        self.photo = photo
        self.half_width = float(np.ptp(mesh[:, 0])) / 2
        rim = mesh[OUTLINE]
        rings = [mesh]
        for grown, back in RINGS:
            ring = rim.copy()
            ring[:, :2] = rim[:, :2].mean(axis=0) + grown * (rim[:, :2] - rim[:, :2].mean(axis=0))
            ring[:, 2] += back * self.half_width
            rings.append(ring)
        self.points = np.concatenate(rings)
        self._axis = np.array([*mesh[:, :2].mean(axis=0), rim[:, 2].mean() + AXIS_BACK * self.half_width])
        self._triangulation = Delaunay(self.points[:, :2])

    def turned(self, yaw_deg: float, tilt_deg: float = 0.0) -> Turned:
        """The photo with the head turned about its own upright axis, then tilted, seen from far away.

        yaw_deg: > 0 is to its own left. tilt_deg: > 0 is to its own right shoulder.
        """
        yaw, tilt = np.radians([yaw_deg, -tilt_deg])
        turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        lean = np.array([[np.cos(tilt), -np.sin(tilt), 0], [np.sin(tilt), np.cos(tilt), 0], [0, 0, 1]])
        turn = lean @ turn
        places = (self.points - self._axis) @ turn.T + self._axis
        # What a turned head lays bare was never seen: the photo, blurred beyond recognition, lies there.
        picture = cv2.GaussianBlur(self.photo, (0, 0), self.half_width / 3)
        triangles = self._triangulation.simplices
        sources = self.points[triangles, :2].astype(np.float32)
        targets = places[triangles, :2].astype(np.float32)
        transforms = np.stack([cv2.getAffineTransform(*pair) for pair in zip(sources, targets, strict=True)])
        for index in np.argsort(-places[triangles, 2].mean(axis=1)):  # the farthest first
            if np.linalg.det(transforms[index, :, :2]) > 0:  # else its back is seen
                _draw(picture, self.photo, transforms[index], targets[index])
        return Turned(picture, self._triangulation, transforms)


def _draw(picture: np.ndarray, photo: np.ndarray, transform: np.ndarray, target: np.ndarray) -> None:
    """One triangle. transform: photo to picture. target: float32 [3, 2], its corners in the picture."""
    height, width = picture.shape[:2]
    x1, y1 = np.maximum(np.floor(target.min(axis=0)).astype(int) - 1, 0)
    x2, y2 = np.minimum(np.ceil(target.max(axis=0)).astype(int) + 2, (width, height))
    if x2 <= x1 or y2 <= y1:
        return
    local = transform - np.array([[0, 0, x1], [0, 0, y1]])
    drawn = cv2.warpAffine(photo, local, (int(x2 - x1), int(y2 - y1)), borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros(drawn.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.rint((target - (x1, y1)) * 16).astype(np.int32), 1, shift=4)
    inside = cv2.dilate(mask, np.ones((2, 2), np.uint8)) > 0  # no seams
    picture[y1:y2, x1:x2][inside] = drawn[inside]
