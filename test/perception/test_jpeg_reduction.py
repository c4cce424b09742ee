"""Large JPEGs are decoded smaller than they are; what is told of them stays in their own pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.model import manifest
from lightfer_ros.perception.decode import ENOUGH_PIXELS, REDUCTIONS, decode_compressed, own_reduction
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.tracking import box_iou


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """uint8 [1334, 2000, 3], BGR: five people."""
    return cv2.resize(cv2.imread(str(manifest.find("photo_multi_face"))), (2000, 1334))


def jpeg(picture: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("size", [(1334, 2000), (333, 501), (9, 17)])
def test_it_is_what_averaging_the_whole_would_give(large, reduction, size):
    picture = cv2.resize(large, size[::-1], interpolation=cv2.INTER_AREA)
    frame = decode_compressed("jpeg", jpeg(picture), reduction=reduction)
    assert (frame.width, frame.height) == tuple(-(-side // reduction) for side in size[::-1])
    assert frame.reduction == reduction and frame.full_size == size[::-1]
    rows, columns = (side // reduction for side in size)
    whole = decode_compressed("jpeg", jpeg(picture)).bgr[: rows * reduction, : columns * reduction]
    averaged = whole.reshape(rows, reduction, columns, reduction, 3).mean((1, 3))
    assert np.abs(frame.bgr[:rows, :columns] - averaged).mean() < 3


def test_a_whole_picture_is_its_own_full_size(large):
    frame = decode_compressed("jpeg", jpeg(large))
    assert (frame.width, frame.height) == frame.full_size == (2000, 1334) and frame.reduction == 1


def test_only_jpegs_are_reduced_and_photos_by_no_means(large):
    png = cv2.imencode(".png", large[:90, :160])[1].tobytes()
    assert decode_compressed("png", png, reduction=2).full_size == (160, 90)
    assert decode_compressed("png", png, reduction=2).width == 160
    assert decode_compressed("jpeg", jpeg(large), reduction=2, upright=True).width == 2000


def test_a_grey_jpeg_stays_grey(large):
    frame = decode_compressed("mono8; jpeg compressed mono8", jpeg(large[:, :, 1]), reduction=4)
    assert np.ptp(frame.bgr, axis=2).max() == 0 and frame.grey.shape == (334, 500)


@given(st.integers(1, 8000), st.integers(1, 6000))
def test_by_itself_it_leaves_enough_pixels(width, height):
    reduction = own_reduction(width, height)
    assert reduction == 1 or width * height >= reduction**2 * ENOUGH_PIXELS
    assert reduction == 8 or width * height < (2 * reduction) ** 2 * ENOUGH_PIXELS


@pytest.mark.parametrize(
    ("size", "reduction"), [((1280, 720), 1), ((1920, 1080), 1), ((2560, 1920), 2), ((3840, 2160), 2)]
)
def test_only_the_largest_cameras_are_reduced_by_themselves(size, reduction):
    assert own_reduction(*size) == reduction


def test_faces_found_in_the_small_picture_lie_where_they_are_in_the_large_one(large):
    detector = make_detector(DetectionOptions("yunet"))
    whole = detector.detect(decode_compressed("jpeg", jpeg(large)))
    frame = decode_compressed("jpeg", jpeg(large), reduction=2)
    found = detector.detect(frame).scaled(frame.reduction)
    assert len(found) == len(whole) == 5
    order, whole_order = np.argsort(found.boxes[:, 0]), np.argsort(whole.boxes[:, 0])
    overlap = box_iou(found.boxes[order], whole.boxes[whole_order])
    assert np.diagonal(overlap).min() > 0.8


def test_the_middle_of_a_small_pixel_is_the_middle_of_the_block_it_stands_for():
    faces = Faces(boxes=np.array([[1, 2, 3, 4]]), landmarks=np.zeros((1, 68, 2)))
    assert faces.scaled(4).boxes.tolist() == [[4, 8, 12, 16]]
    assert (faces.scaled(4).landmarks == 1.5).all()  # of pixels 0 to 3
