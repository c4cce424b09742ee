"""Following: known faces are found again by the flow of their pixels, or given up where they cannot be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
from lightfer_ros.perception.faces import TRACKED, Faces
from lightfer_ros.perception.flow import cut_chip, moved_landmarks
from lightfer_ros.perception.following import FIT_INTERVAL_S, Follower, move_boxes
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.tracking import box_iou

GAP = 1 / 30


class CountingPredictor:
    """A landmark predictor that counts the faces it is asked for."""

    def __init__(self, predictor: DlibLandmarkPredictor) -> None:
        self.fits = 0
        self.before = None
        self._predictor = predictor

    def predict(self, grey: np.ndarray, boxes: np.ndarray, before=None) -> np.ndarray:
        self.fits += len(boxes)
        self.before = before
        return self._predictor.predict(grey, boxes, before)


@pytest.fixture
def predictor(dlib_predictor) -> CountingPredictor:
    return CountingPredictor(dlib_predictor)


@pytest.fixture(scope="module")
def person() -> np.ndarray:
    """A face about 126 px wide."""
    return resized(photo("photo_single_face"), 0.6)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)


def fresh(picture: np.ndarray, predictor) -> Faces:
    """Every face found anew, with landmarks, numbered."""
    faces = make_detector(DetectionOptions("dlib_hog")).detect(Frame.from_array(picture))
    landmarks = predictor.predict(grey(picture), faces.boxes)
    return faces.replace(landmarks=landmarks, track_id=np.arange(1, len(faces) + 1))


def error(one: Faces, other: Faces) -> float:
    """Mean distance of the landmarks of the first face, in widths of its box."""
    side = other.boxes[0, 2] - other.boxes[0, 0]
    return float(np.hypot(*(one.landmarks[0] - other.landmarks[0]).T).mean() / side)


def followed(faces: Faces, pictures: list, predictor) -> Faces:
    """The same faces after some more pictures, expected where they were in the one before."""
    follower = Follower(predictor)
    follower.remember(faces, grey(pictures[0]), 0.0)
    for index, picture in enumerate(pictures[1:], 1):
        stamp = index * GAP
        faces, believable = follower.follow(faces, faces, grey(picture), stamp, GAP)
        assert believable.all()
        follower.remember(faces, grey(picture), stamp)
        faces = follower.refine(faces, grey(picture), stamp, GAP)
    return faces


@pytest.mark.parametrize("shift", [(0, 0), (6, 0), (-6, 4), (0, 12), (12, -9)])
def test_a_face_that_moved_some_pixels_is_found_as_well_as_by_a_fresh_scan(predictor, person, shift):
    before, after = placed(person, 100, 60), placed(person, 100 + shift[0], 60 + shift[1])
    known, expected = fresh(before, predictor), fresh(after, predictor)
    predictor.fits = 0
    now = followed(known, [before, after], predictor)
    assert predictor.fits == 0  # by flow alone
    assert now.state.tolist() == [TRACKED] and now.track_id.tolist() == [1]
    assert now.confidence == known.confidence
    assert error(now, expected) < 0.03
    assert box_iou(now.boxes, known.boxes + np.float32([*shift, *shift]))[0, 0] > 0.9


def test_following_does_not_drift_over_a_second_of_walking_and_coming_nearer(predictor, person):
    pictures = [placed(resized(person, 1.0 + 0.01 * n), 40 + 3 * n, 40 + n) for n in range(31)]
    known, expected = fresh(pictures[0], predictor), fresh(pictures[-1], predictor)
    predictor.fits = 0
    now = followed(known, pictures, predictor)
    assert 1.0 / FIT_INTERVAL_S - 1 <= predictor.fits <= 12  # of 30 frames
    assert error(now, expected) < 0.04
    assert box_iou(now.boxes, expected.boxes)[0, 0] > 0.7


def test_several_people_are_followed_each_on_their_own_and_fitted_in_turns(predictor):
    photo_of_four = photo("photo_multi_face")
    pictures = [np.roll(photo_of_four, (2 * n, 3 * n), axis=(0, 1)) for n in range(4)]
    known = fresh(pictures[0], predictor)
    now = followed(known, pictures, predictor)
    assert now.track_id.tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(now.landmarks, known.landmarks + (9, 6), atol=8)


def test_landmarks_that_drifted_are_fitted_anew_where_the_face_is_and_the_box_stays(predictor, person):
    picture = placed(person, 100, 60)
    known = fresh(picture, predictor)
    drifted = known.replace(landmarks=known.landmarks + np.float32(4.0))
    follower = Follower(predictor)
    follower.remember(drifted, grey(picture), 0.0)
    assert follower.refine(drifted, grey(picture), 0.0, GAP) is drifted  # found in this very frame
    follower.follow(drifted, drifted, grey(picture), FIT_INTERVAL_S, GAP)
    fitted = follower.refine(drifted, grey(picture), FIT_INTERVAL_S, GAP)
    np.testing.assert_array_equal(fitted.landmarks, known.landmarks)
    np.testing.assert_array_equal(fitted.boxes, drifted.boxes)


def test_a_fit_that_finds_another_shape_is_not_taken_over_and_flow_not_believed(predictor, person):
    picture = placed(person, 100, 60)
    known = fresh(picture, predictor)
    shrunk = known.replace(landmarks=known.landmarks * 0.7 + 0.3 * known.landmarks.mean(1, keepdims=True))
    follower = Follower(predictor)
    follower.remember(shrunk, grey(picture), 0.0)
    follower.follow(shrunk, shrunk, grey(picture), FIT_INTERVAL_S, GAP)
    assert (follower.refine(shrunk, grey(picture), FIT_INTERVAL_S, GAP).landmarks == shrunk.landmarks).all()
    predictor.fits = 0
    _, believable = follower.follow(shrunk, shrunk, grey(picture), FIT_INTERVAL_S + GAP, GAP)
    assert predictor.fits == 1 and not believable.any()


def test_where_the_flow_is_lost_landmarks_are_fitted(predictor, person):
    before, after = placed(person, 100, 60), placed(person, 125, 60)  # a fifth of the face in one frame
    known, expected = fresh(before, predictor), fresh(after, predictor)
    noise = np.random.default_rng(0).integers(0, 255, (480, 640), np.uint8)
    box, landmarks = known.boxes[0], known.landmarks[0]
    assert moved_landmarks(cut_chip(grey(before), box), cut_chip(noise, box), landmarks) is None
    follower = Follower(predictor)
    follower.remember(known, noise, 0.0)
    predictor.fits = 0
    now, believable = follower.follow(known, known, grey(after), GAP, GAP)
    assert predictor.fits == 1 and believable.all()
    np.testing.assert_array_equal(predictor.before, known.landmarks)  # a fit may begin at what was known
    assert error(now, expected) < 0.06


def test_who_was_followed_to_a_wrong_place_is_fitted_where_the_detector_found_them_and_followed_from_there(
    predictor, person
):
    before, after = placed(person, 100, 60), placed(person, 160, 60)
    known, there = fresh(before, predictor), fresh(after, predictor)
    follower = Follower(predictor)
    follower.remember(known, grey(before), 0.0)
    follower.follow(known, known, grey(after), GAP, GAP)
    strayed = known.replace(boxes=there.boxes)  # put back, with landmarks of where they were
    found = follower.found_elsewhere(strayed, np.array([True]), grey(after))
    np.testing.assert_array_equal(found.landmarks, there.landmarks)
    follower.remember(found, grey(after), GAP)
    predictor.fits = 0
    now, believable = follower.follow(found, found, grey(placed(person, 162, 60)), 2 * GAP, GAP)
    assert predictor.fits == 0 and believable.all()
    np.testing.assert_allclose((now.landmarks - there.landmarks)[0].mean(axis=0), (2.0, 0.0), atol=0.3)


def test_a_face_half_hidden_by_what_stands_still_keeps_the_size_and_way_of_its_other_half(predictor, person):
    known = fresh(placed(person, 100, 60), predictor)
    hidden = known.landmarks[0, :, 0] > np.quantile(known.landmarks[0, :, 0], 0.6)
    landmarks = known.landmarks + np.where(hidden[:, None], 0.0, 8.0).astype(np.float32)
    now, _ = move_boxes(known, known, landmarks, GAP)
    np.testing.assert_allclose(now.boxes, known.boxes + 8.0, atol=3.0)


@pytest.mark.parametrize(
    "grown, ran, gap", [(0.8, 0.0, GAP), (1.2, 0.0, GAP), (1.0, 0.6, GAP), (1.4, 0.0, 0.2)]
)
def test_who_shrank_grew_or_ran_away_faster_than_people_do_is_given_up(predictor, person, grown, ran, gap):
    known = fresh(placed(person, 100, 60), predictor)
    middle = known.landmarks.mean(axis=1, keepdims=True)
    side = known.boxes[:, 2] - known.boxes[:, 0]
    landmarks = middle + grown * (known.landmarks - middle) + np.float32(ran * side)
    assert move_boxes(known, known, known.landmarks, gap).believable.tolist() == [True]
    assert move_boxes(known, known, landmarks, gap).believable.tolist() == [False]


def test_nobody_followed_stays_nobody(predictor):
    follower = Follower(predictor)
    assert len(follower.follow(Faces.empty(), Faces.empty(), np.zeros((9, 9), np.uint8), 0.0, GAP).faces) == 0
