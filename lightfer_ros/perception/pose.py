"""Where heads are turned to: yaw, pitch and roll from the 68 landmarks and a rigid head.

The head is the anthropometric model of Martins and Batista (Single view head pose estimation, ICIP 2008), of
which the fourteen points below are in wide use with these landmarks; cv2.solvePnP turns and moves it until it
looks like the landmarks.
"""

from __future__ import annotations

import math
from typing import Optional, Tuple

import cv2
import numpy as np

POINTS = (17, 21, 22, 26, 36, 39, 42, 45, 31, 35, 48, 54, 57, 8)
"""iBUG's numbers: ends of the brows, corners of the eyes, wings of the nose, corners and bottom of the mouth,
chin."""

HEAD = np.array(
    [
        [-6.825897, -6.760612, -4.402142],
        [-1.330353, -7.122144, -6.903745],
        [1.330353, -7.122144, -6.903745],
        [6.825897, -6.760612, -4.402142],
        [-5.311432, -5.485328, -3.987654],
        [-1.789930, -5.393625, -4.413414],
        [1.789930, -5.393625, -4.413414],
        [5.311432, -5.485328, -3.987654],
        [-2.005628, -1.409845, -6.165652],
        [2.005628, -1.409845, -6.165652],
        [-2.774015, 2.080775, -5.048531],
        [2.774015, 2.080775, -5.048531],
        [0.000000, 3.116408, -6.097667],
        [0.000000, 7.415691, -4.070434],
    ]
)
"""Centimetres, for a head that is upright and faces the camera, in the camera's optical frame (REP-103: x to
the right of the picture, y down, z forward), from the middle of the head."""

GOOD_FIT, BAD_FIT = 0.03, 0.15
"""Root mean square distance between landmarks and turned head, in widths of the face: a smile costs about the
first, at the second the landmarks are those of no head."""

FACE_CM = 14.0
"""From brows to chin; where the search for a pose begins."""

SMALLEST_FACE_PX = 8.0
"""From brows to chin: landmarks that lie closer together are no face."""

MOST_TURNED_DEG = 90.0
"""Beyond, the face is not to be seen and the answer is another face's."""


def head_poses(
    landmarks: np.ndarray, width: int, height: int, focal_length_px: Optional[float] = None
) -> Tuple[np.ndarray, np.ndarray]:
    """Yaw, pitch, roll in degrees, float32 [n, 3], and how far to trust them, 0 to 1, float32 [n].

    landmarks: float32 [n, 68, 2], pixels of a picture of that size. focal_length_px: the camera's; unless
    known, that of a horizontal view of 60 degrees. Angles are REP-103's fixed axis ones of the face frame of
    REP-155, as HeadPose.msg has them: yaw > 0 is turned to the own left, pitch > 0 looks down, roll > 0 is
    tilted to the own right shoulder; all 0 is parallel to the picture. NaN and 0 where no head fits.
    """
    focal = focal_length_px or width / (2 * math.tan(math.radians(30.0)))
    camera = np.array([[focal, 0.0, width / 2 - 0.5], [0.0, focal, height / 2 - 0.5], [0.0, 0.0, 1.0]])
    poses = np.full((len(landmarks), 3), np.nan, np.float32)
    confidence = np.zeros(len(landmarks), np.float32)
    points = landmarks[:, POINTS, :].astype(np.float64)
    sides = np.ptp(points, axis=1).max(axis=1)
    middles = points.mean(axis=1) - camera[:2, 2]
    for index in np.flatnonzero(sides >= SMALLEST_FACE_PX).tolist():
        side = float(sides[index])
        away = FACE_CM / side
        towards = np.array([[middles[index, 0]], [middles[index, 1]], [focal]]) * away
        solved, rotation, translation = cv2.solvePnP(
            HEAD,
            points[index, :, None],
            camera,
            None,
            np.zeros((3, 1)),
            towards,
            useExtrinsicGuess=True,
            flags=cv2.SOLVEPNP_ITERATIVE,
        )
        if not solved or not np.isfinite(rotation).all() or float(translation[2, 0]) <= 0.0:
            continue
        angles = _angles(cv2.Rodrigues(rotation)[0])
        if max(abs(angles[0]), abs(angles[1])) > MOST_TURNED_DEG:
            continue
        projected, _ = cv2.projectPoints(HEAD, rotation, translation, camera, None)
        off = projected[:, 0] - points[index]
        error = math.sqrt(float((off * off).sum()) / len(POINTS)) / side
        poses[index] = angles
        confidence[index] = min(max((BAD_FIT - error) / (BAD_FIT - GOOD_FIT), 0.0), 1.0)
    return poses, confidence


def _angles(rotation: np.ndarray) -> Tuple[float, float, float]:
    """Yaw, pitch, roll in degrees: Rz(yaw) · Ry(pitch) · Rx(roll) is the rotation (REP-103) between frames
    of faces that look at the camera, x out of it, y to its left, z up: x = −z, y = x, z = −y of the optical.
    """
    (_, _, r02), (r10, r11, r12), (_, _, r22) = rotation.tolist()
    yaw = math.atan2(-r02, r22)
    pitch = math.asin(min(max(-r12, -1.0), 1.0))
    roll = math.atan2(-r10, r11)
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)
