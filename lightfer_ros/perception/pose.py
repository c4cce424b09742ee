"""Where heads are turned to: yaw, pitch and roll from the 68 landmarks and a rigid head.

The head is the anthropometric model of Martins and Batista (Single view head pose estimation, ICIP 2008), of
which the fourteen points below are in wide use with these landmarks; cv2.solvePnP turns and moves it until it
looks like the landmarks.
"""

from __future__ import annotations

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
    focal = focal_length_px or width / (2 * np.tan(np.radians(30.0)))
    camera = np.array([[focal, 0.0, width / 2 - 0.5], [0.0, focal, height / 2 - 0.5], [0.0, 0.0, 1.0]])
    poses = np.full((len(landmarks), 3), np.nan, np.float32)
    confidence = np.zeros(len(landmarks), np.float32)
    for index, points in enumerate(landmarks[:, POINTS, :].astype(np.float64)):
        side = max(float(np.ptp(points[:, 0])), float(np.ptp(points[:, 1])))
        if side < SMALLEST_FACE_PX:
            continue
        towards = (
            np.array([*(points.mean(axis=0) - camera[:2, 2]), focal]) * 14.0 / side
        )  # a face is 14 cm high
        solved, rotation, translation = cv2.solvePnP(
            HEAD,
            points[:, None],
            camera,
            None,
            np.zeros((3, 1)),
            towards.reshape(3, 1),
            useExtrinsicGuess=True,
            flags=cv2.SOLVEPNP_ITERATIVE,
        )
        if not solved or not np.isfinite(rotation).all() or float(translation[2, 0]) <= 0.0:
            continue
        angles = _angles(cv2.Rodrigues(rotation)[0])
        if np.abs(angles[:2]).max() > MOST_TURNED_DEG:
            continue
        projected, _ = cv2.projectPoints(HEAD, rotation, translation, camera, None)
        error = float(np.sqrt(((projected[:, 0] - points) ** 2).sum(axis=1).mean())) / side
        poses[index] = angles
        confidence[index] = np.clip((BAD_FIT - error) / (BAD_FIT - GOOD_FIT), 0.0, 1.0)
    return poses, confidence


_OPTICAL_TO_REFERENCE = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""From the optical frame to that of a face which looks at the camera: x out of it, y to its left, z up."""


def _angles(rotation: np.ndarray) -> Tuple[float, float, float]:
    """Yaw, pitch, roll in degrees: Rz(yaw) · Ry(pitch) · Rx(roll) is the rotation (REP-103)."""
    turned = _OPTICAL_TO_REFERENCE @ rotation @ _OPTICAL_TO_REFERENCE.T
    yaw = np.arctan2(turned[1, 0], turned[0, 0])
    pitch = np.arcsin(np.clip(-turned[2, 0], -1.0, 1.0))
    roll = np.arctan2(turned[2, 1], turned[2, 2])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
