"""Cutting faces out of a picture, upright and framed as the network saw them in training."""

from __future__ import annotations

import math

import cv2
import numpy as np

from lightfer_ros.errors import ImageError
from lightfer_ros.model import CropGeometry, Normalization
from lightfer_ros.perception.landmarks import COUNT, eyes_and_mouth

LARGEST_REDUCTION = 8
"""Crops of faces this many times larger than the network's input are averaged down; beyond, some pixels are
skipped."""


def crop_transforms(landmarks: np.ndarray, geometry: CropGeometry, size: int) -> np.ndarray:
    """The similarity that maps each face into its crop: eyes level, eyes and mouth where `geometry` has them.

    landmarks: float32 [n, 68, 2], pixels. Returns float64 [n, 2, 3] for cv2.warpAffine, picture to crop. The
    scale comes from eye distance and eye-mouth distance together, since turning the head shortens the first
    and nodding the second; the rotation from the eyes alone.
    """
    wanted = size * math.hypot(geometry.eye_distance, geometry.mouth_y - geometry.eye_y)
    # A pixel's coordinates name its middle, the geometry's fractions begin at the picture's edge.
    target_x, target_y = 0.5 * size - 0.5, (geometry.eye_y + geometry.mouth_y) / 2 * size - 0.5
    transforms = np.empty((len(landmarks), 2, 3))
    # Face by face: of three points each, NumPy's own way takes as long as this does with ten faces.
    for index, (right, left, mouth) in enumerate(eyes_and_mouth(landmarks).tolist()):
        eyes_x, eyes_y = (right[0] + left[0]) / 2, (right[1] + left[1]) / 2
        across_x, across_y = left[0] - right[0], left[1] - right[1]
        seen = math.hypot(math.hypot(across_x, across_y), math.hypot(mouth[0] - eyes_x, mouth[1] - eyes_y))
        scale, angle = wanted / max(seen, 1e-6), math.atan2(across_y, across_x)
        cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
        x, y = (eyes_x + mouth[0]) / 2, (eyes_y + mouth[1]) / 2
        transforms[index] = (
            (cosine, sine, target_x - cosine * x - sine * y),
            (-sine, cosine, target_y + sine * x - cosine * y),
        )
    return transforms


def to_crops(
    image: np.ndarray,
    landmarks: np.ndarray,
    geometry: CropGeometry,
    size: int,
    normalization: Normalization,
) -> np.ndarray:
    """Cut every face upright to the network's frame.

    image: uint8 [h, w] grey or [h, w, 3]. landmarks: float32 [n, 68, 2], pixels, iBUG order.
    Returns float32 [n, size, size, channels] as `normalization` wants it; n may be 0. What lies outside the
    image repeats its border. Raises ImageError when landmarks have another shape or are not finite.
    """
    if landmarks.shape[1:] != (COUNT, 2) or not np.isfinite(landmarks).all():
        raise ImageError(f"landmarks: given {list(landmarks.shape)}, expected finite [n, {COUNT}, 2]")
    channels = 1 if image.ndim == 2 else image.shape[2]
    crops = np.empty((len(landmarks), size, size, channels), np.float32)
    for crop, transform in zip(crops, crop_transforms(landmarks, geometry, size)):
        crop[:] = warped(image, transform, size, reduction(transform)).reshape(size, size, channels)
    crops *= normalization.scale
    crops += normalization.offset
    return crops


def reduction(transform: np.ndarray, pixels: int = 1, most: int = LARGEST_REDUCTION) -> int:
    """By which factor to warp larger first and average then, so that a pixel of the result is made of about
    `pixels` in a row of the picture at most. transform: a similarity, float64 [2, 3], picture to square."""
    shrinks = 1.0 / max(math.hypot(transform[0, 0], transform[0, 1]), 1e-6)
    return min(max(int(shrinks / pixels), 1), most)


def warped(image: np.ndarray, transform: np.ndarray, size: int, factor: int) -> np.ndarray:
    """A square of the picture, uint8 [size, size(, 3)], by a similarity, float64 [2, 3], picture to square.

    Warping alone reads four pixels and would alias a large face: it is warped `factor` times as large, and
    averaged. What lies outside repeats the border.
    """
    if factor > 1:
        transform = transform * factor
        transform[:, 2] += (factor - 1) / 2
    fine = size * factor
    square = cv2.warpAffine(
        image, transform, (fine, fine), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return square if factor == 1 else cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
