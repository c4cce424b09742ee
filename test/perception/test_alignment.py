"""Alignment: however a face lies in the picture, its eyes and mouth lie in the crop where they belong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photos import photo

from lightfer_ros.errors import ImageError
from lightfer_ros.model import CropGeometry, Normalization
from lightfer_ros.perception.alignment import crop_transforms, to_crops
from lightfer_ros.perception.landmarks import EYE_LEFT, EYE_RIGHT, MOUTH_OUTER, eyes_and_mouth

SIZE = 64
AS_PIXELS = Normalization(scale=1.0, offset=0.0)

RIGHT_EYE, LEFT_EYE, MOUTH = (227.0, 248.0), (314.0, 246.0), (277.0, 328.0)
"""The features of the photo's face, by eye, in pixels."""


def landmarks_of(right_eye, left_eye, mouth) -> np.ndarray:
    """68 landmarks of which eyes and mouth have these middles; [1, 68, 2]."""
    points = np.full((1, 68, 2), np.mean([right_eye, left_eye, mouth], axis=0), np.float32)
    for part, middle in ((EYE_RIGHT, right_eye), (EYE_LEFT, left_eye), (MOUTH_OUTER, mouth)):
        count = len(points[0, part])
        around = np.exp(2j * np.pi * np.arange(count) / count)
        points[0, part] = np.array(middle) + 3 * np.stack([around.real, around.imag], axis=1)
    return points


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return cv2.cvtColor(photo("photo_single_face"), cv2.COLOR_BGR2GRAY)


@pytest.fixture(scope="module")
def landmarks() -> np.ndarray:
    return landmarks_of(RIGHT_EYE, LEFT_EYE, MOUTH)


def crop(picture: np.ndarray, landmarks: np.ndarray, **geometry) -> np.ndarray:
    return to_crops(picture, landmarks, CropGeometry(**geometry), SIZE, AS_PIXELS)[0, ..., 0]


SIMILARITIES = st.builds(
    lambda angle, scale, x, y: np.array(
        [
            [scale * np.cos(angle), -scale * np.sin(angle), x],
            [scale * np.sin(angle), scale * np.cos(angle), y],
        ]
    ),
    angle=st.floats(-np.pi, np.pi),
    scale=st.floats(0.5, 2.0),
    x=st.floats(-50, 50),
    y=st.floats(-50, 50),
)


def moved(points: np.ndarray, transform: np.ndarray) -> np.ndarray:
    return points @ transform[:, :2].T + transform[:, 2]


GEOMETRIES = st.builds(
    CropGeometry,
    eye_distance=st.floats(0.2, 0.6),
    eye_y=st.floats(0.2, 0.45),
    mouth_y=st.floats(0.6, 0.9),
)


@given(transform=SIMILARITIES, geometry=GEOMETRIES, size=st.integers(24, 300))
def test_eyes_and_mouth_land_exactly_where_the_geometry_has_them(transform, geometry, size):
    half = geometry.eye_distance / 2
    wanted = np.array([(0.5 - half, geometry.eye_y), (0.5 + half, geometry.eye_y), (0.5, geometry.mouth_y)])
    face = landmarks_of(*moved(100 * wanted, transform))
    to_crop = crop_transforms(face, geometry, size)[0]
    landed = np.concatenate([moved(part, to_crop) for part in eyes_and_mouth(face)])
    # Fractions begin at the crop's edge, pixel coordinates in the middle of its first pixel.
    np.testing.assert_allclose((landed + 0.5) / size, wanted, atol=1e-4)


@given(transform=SIMILARITIES)
def test_a_face_of_other_proportions_has_level_eyes_and_its_middle_in_place(transform):
    geometry = CropGeometry()
    face = landmarks_of(*moved(np.array([RIGHT_EYE, LEFT_EYE, (300.0, 330.0)]), transform))
    to_crop = crop_transforms(face, geometry, SIZE)[0]
    right, left, mouth = moved(eyes_and_mouth(face)[0], to_crop)
    assert right[1] == pytest.approx(left[1], abs=1e-2) and right[0] < left[0]
    middle = ((right + left) / 2 + mouth) / 2
    np.testing.assert_allclose(
        (middle + 0.5) / SIZE, [0.5, (geometry.eye_y + geometry.mouth_y) / 2], atol=1e-3
    )
    assert np.linalg.det(to_crop[:, :2]) > 0  # turned, never mirrored


@settings(max_examples=30, deadline=None)
@given(transform=SIMILARITIES)
def test_a_picture_turned_scaled_and_shifted_gives_the_same_crop(picture, landmarks, transform):
    # Room enough for every turn, so that nothing of the face falls off.
    transform = transform.copy()
    transform[:, 2] += 600 - moved(np.array(MOUTH), transform)
    other = cv2.warpAffine(
        picture, transform, (1200, 1200), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    one, same = crop(picture, landmarks), crop(other, moved(landmarks, transform).astype(np.float32))
    # What differs is interpolation, most for a face that was made smaller.
    assert np.abs(one - same).mean() < 3.0


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_quarter_turn_loses_nothing(picture, landmarks, quarter_turns):
    turned, points = picture, landmarks
    for _ in range(quarter_turns):
        points = np.stack([points[..., 1], turned.shape[1] - 1 - points[..., 0]], axis=-1)
        turned = np.rot90(turned)
    difference = np.abs(crop(np.ascontiguousarray(turned), points) - crop(picture, landmarks))
    assert difference.mean() < 0.5 and difference.max() <= 8


def test_a_large_face_is_averaged_and_not_picked_from(landmarks):
    chequers = np.indices((562, 572)).sum(axis=0) % 2 * np.uint8(255)
    assert np.ptp(crop(chequers.astype(np.uint8), landmarks)) < 60  # picked pixels would be 0 and 255


def test_a_face_cut_by_the_border_repeats_it(picture, landmarks):
    x = int(MOUTH[0])
    half = np.ascontiguousarray(picture[:, :x])
    whole, cut = crop(picture, landmarks), crop(half, landmarks)
    border = round((crop_transforms(landmarks, CropGeometry(), SIZE)[0] @ [x, MOUTH[1], 1])[0])
    np.testing.assert_allclose(whole[:, : border - 4], cut[:, : border - 4], atol=1)
    assert np.abs(np.diff(cut[:, border + 4 :], axis=1)).mean() < np.abs(np.diff(whole, axis=1)).mean() / 4


def test_all_faces_at_once_are_what_each_is_alone_and_nobody_gives_an_empty_batch(picture, landmarks):
    points = np.concatenate([landmarks, landmarks + 20, landmarks * 1.5])
    batch = to_crops(picture, points, CropGeometry(), SIZE, AS_PIXELS)
    for index in range(3):
        alone = to_crops(picture, points[index : index + 1], CropGeometry(), SIZE, AS_PIXELS)
        np.testing.assert_array_equal(batch[index], alone[0])
    assert to_crops(picture, points[:0], CropGeometry(), SIZE, AS_PIXELS).shape == (0, SIZE, SIZE, 1)


def test_pixels_are_normalized_and_colours_keep_their_order(landmarks):
    colour = np.zeros((562, 572, 3), np.uint8)
    colour[:] = (255, 51, 0)
    crops = to_crops(colour, landmarks, CropGeometry(), SIZE, Normalization(scale=2 / 255, offset=-1.0))
    assert crops.shape == (1, SIZE, SIZE, 3) and crops.dtype == np.float32
    np.testing.assert_allclose(crops.reshape(-1, 3), np.tile([1.0, -0.6, -1.0], (SIZE * SIZE, 1)), atol=1e-6)


@pytest.mark.parametrize(
    "wrong", [np.zeros((1, 5, 2)), np.zeros((1, 68, 3)), np.full((1, 68, 2), np.nan)], ids=["5", "3d", "nan"]
)
def test_landmarks_of_another_kind_are_refused(picture, wrong):
    with pytest.raises(ImageError, match=r"landmarks: given .* expected finite \[n, 68, 2\]"):
        to_crops(picture, wrong.astype(np.float32), CropGeometry(), SIZE, AS_PIXELS)


def test_landmarks_that_all_fall_together_give_a_crop_and_no_error(picture):
    assert np.isfinite(crop(picture, np.full((1, 68, 2), 100.0, np.float32))).all()
