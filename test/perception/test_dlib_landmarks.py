"""Landmarks on real photos: 68 points in iBUG's order, inside their boxes, on what they are named for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.errors import ModelError
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import (
    BROW_LEFT,
    BROW_RIGHT,
    EYE_LEFT,
    EYE_RIGHT,
    JAW,
    MOUTH_OUTER,
    NOSE_BASE,
    NOSE_BRIDGE,
    eyes_and_mouth,
)

RIGHT_EYE, LEFT_EYE, MOUTH = (227, 248), (314, 246), (277, 328)
"""The features of the single face, by eye, in pixels."""

PARTS = (BROW_RIGHT, BROW_LEFT, EYE_RIGHT, EYE_LEFT, NOSE_BRIDGE, NOSE_BASE, MOUTH_OUTER)


def grey_and_boxes(picture: np.ndarray) -> tuple:
    frame = Frame.from_array(picture)
    return frame.grey, make_detector(DetectionOptions("yunet")).detect(frame).boxes


def test_eyes_and_mouth_are_where_a_person_sees_them(dlib_predictor):
    middles = eyes_and_mouth(dlib_predictor.predict(*grey_and_boxes(photo("photo_single_face"))))
    assert middles.shape == (1, 3, 2)
    for found, seen in zip(middles[0], (RIGHT_EYE, LEFT_EYE, MOUTH)):
        assert np.hypot(*(found - seen)) < 8  # of a face 210 px wide


def test_landmarks_lie_inside_their_boxes_in_the_order_of_a_face(dlib_predictor):
    grey, boxes = grey_and_boxes(photo("photo_multi_face"))
    landmarks = dlib_predictor.predict(grey, boxes)
    assert landmarks.shape == (5, 68, 2) and landmarks.dtype == np.float32
    for points, (x1, y1, x2, y2) in zip(landmarks, boxes):
        margin = 0.25 * (x2 - x1)
        assert ((points > (x1 - margin, y1 - margin)) & (points < (x2 + margin, y2 + margin))).all()
        across, down = ([points[part, axis].mean() for part in PARTS] for axis in (0, 1))
        brow_right, brow_left, eye_right, eye_left, bridge, nose, mouth = down
        assert brow_right < eye_right < bridge < nose < mouth < points[JAW][8, 1]
        assert brow_left < eye_left < bridge
        assert across[2] < across[4] < across[3]  # the person's right eye is left in the picture
        assert points[JAW][0, 0] < points[JAW][8, 0] < points[JAW][16, 0]


def test_all_faces_at_once_give_what_each_gives_alone(dlib_predictor):
    grey, boxes = grey_and_boxes(photo("photo_multi_face"))
    together = dlib_predictor.predict(grey, boxes)
    for points, box in zip(together, boxes):
        np.testing.assert_array_equal(dlib_predictor.predict(grey, box[None])[0], points)
    assert dlib_predictor.predict(grey, boxes[:0]).shape == (0, 68, 2)


@pytest.mark.parametrize("side", [20, 600])
def test_landmarks_scale_with_the_face(dlib_predictor, side):
    picture = photo("photo_single_face")
    factor = side / 210
    reference = dlib_predictor.predict(*grey_and_boxes(picture))[0]
    points = dlib_predictor.predict(*grey_and_boxes(resized(picture, factor)))[0]
    error = np.hypot(*(points / factor - reference).T)
    assert np.median(error) < 0.05 * 210


@pytest.mark.parametrize("left, top", [(-280, 0), (0, -270), (360, 0), (0, 110), (5000, 5000)])
def test_boxes_that_leave_the_picture_give_finite_landmarks(dlib_predictor, left, top):
    picture = photo("photo_single_face")
    boxes = grey_and_boxes(picture)[1] + np.tile([left, top], 2).astype(np.float32)
    grey = cv2.cvtColor(placed(picture, left, top), cv2.COLOR_BGR2GRAY)
    assert np.isfinite(dlib_predictor.predict(grey, boxes)).all()


@pytest.mark.parametrize("content", [b"", b"not a predictor", b"\x00" * 4096])
def test_a_file_that_is_no_landmark_model_is_refused_with_its_path(tmp_path, content):
    path = tmp_path / "points.dat"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"points\.dat cannot be read"):
        DlibLandmarkPredictor(path)
    with pytest.raises(ModelError, match=r"missing\.dat cannot be read"):
        DlibLandmarkPredictor(tmp_path / "missing.dat")
