"""Following: known faces are found again by their landmarks alone, or given up where they cannot be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.faces import DETECTED, TRACKED, Faces
from lightfer_ros.perception.following import follow
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.tracking import box_iou


@pytest.fixture(scope="module")
def predictor() -> LandmarkPredictor:
    try:
        return LandmarkPredictor(manifest.find("shape_predictor_68"))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    """A face about 126 px wide."""
    return resized(photo("photo_single_face"), 0.6)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def fresh(picture: np.ndarray, predictor: LandmarkPredictor) -> Faces:
    """Every face found anew, with landmarks."""
    faces = make_detector(DetectionOptions("dlib_hog")).detect(Frame.from_array(picture))
    return faces.replace(landmarks=predictor.predict(grey(picture), faces.boxes))


def error(one: Faces, other: Faces) -> float:
    """Mean distance of the landmarks of the first face, in widths of its box."""
    side = other.boxes[0, 2] - other.boxes[0, 0]
    return float(np.hypot(*(one.landmarks[0] - other.landmarks[0]).T).mean() / side)


def test_who_stands_still_stays_where_they_are(predictor, person):
    picture = placed(person, 100, 60)
    known = fresh(picture, predictor)
    followed = follow(known, grey(picture), predictor)
    np.testing.assert_array_equal(followed.landmarks, known.landmarks)
    np.testing.assert_allclose(followed.boxes, known.boxes, atol=1.0)  # made square


@pytest.mark.parametrize("shift", [(6, 0), (-6, 4), (0, 12), (12, -9)])
def test_a_face_that_moved_some_pixels_is_found_as_well_as_by_a_fresh_scan(predictor, person, shift):
    before, after = placed(person, 100, 60), placed(person, 100 + shift[0], 60 + shift[1])
    known = fresh(before, predictor).replace(track_id=np.array([7]))
    followed, expected = follow(known, grey(after), predictor), fresh(after, predictor)
    assert len(followed) == 1
    assert followed.track_id.tolist() == [7] and followed.state.tolist() == [TRACKED]
    assert followed.confidence == known.confidence and known.state.tolist() == [DETECTED]
    assert error(followed, expected) < 0.03
    # A fresh box jumps between the detector's scales; the followed one keeps its size.
    assert box_iou(followed.boxes, known.boxes + np.float32([*shift, *shift]))[0, 0] > 0.85


def test_following_does_not_drift_over_a_second_of_walking_and_coming_nearer(predictor, person):
    faces = fresh(placed(person, 40, 40), predictor)
    for frame in range(1, 31):
        picture = placed(resized(person, 1.0 + 0.01 * frame), 40 + 3 * frame, 40 + frame)
        faces = follow(faces, grey(picture), predictor)
    expected = fresh(picture, predictor)
    assert error(faces, expected) < 0.04
    assert box_iou(faces.boxes, expected.boxes)[0, 0] > 0.7


def test_several_people_are_followed_each_on_their_own(predictor):
    photo_of_four = photo("photo_multi_face")
    known = fresh(photo_of_four, predictor)
    moved = np.roll(photo_of_four, (3, 5), axis=(0, 1))
    followed = follow(known, grey(moved), predictor)
    assert len(followed) == 4
    np.testing.assert_allclose(followed.landmarks, known.landmarks + (5, 3), atol=8)


@pytest.mark.parametrize("grown, ran", [(0.75, 0.0), (1.35, 0.0), (1.0, 0.6)])
def test_who_shrank_grew_or_ran_away_faster_than_people_do_is_given_up(predictor, person, grown, ran):
    picture = placed(person, 100, 60)
    known = fresh(picture, predictor)
    middle = known.landmarks.mean(axis=1, keepdims=True)
    side = known.boxes[:, 2] - known.boxes[:, 0]
    before = known.replace(landmarks=middle + (known.landmarks - middle) / grown - ran * side)
    assert len(follow(known, grey(picture), predictor)) == 1
    assert len(follow(before, grey(picture), predictor)) == 0


def test_nobody_followed_stays_nobody(predictor):
    assert len(follow(Faces.empty(), np.zeros((480, 640), np.uint8), predictor)) == 0
