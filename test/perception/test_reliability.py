"""Reliability: a good view is trusted; what spoils a view is named, and nothing else is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo

from lightfer_ros.model import CropGeometry, Normalization
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.faces import BLURRED, CUT, DARK, SMALL, STALE, TURNED, UNCERTAIN, Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.reliability import as_told, judge

NORMALIZATION = Normalization(scale=2.0 / 255.0, offset=-1.0)
HAPPY = np.array([[0.02, 0.0, 0.01, 0.9, 0.02, 0.02, 0.03]])


@pytest.fixture(scope="module")
def face(dlib_predictor) -> Faces:
    """The one face of the photo, 210 px wide."""
    frame = Frame.from_array(photo("photo_single_face"))
    faces = make_detector(DetectionOptions("yunet")).detect(frame)
    return faces.replace(
        landmarks=dlib_predictor.predict(frame.grey, faces.boxes),
        probabilities=HAPPY,
        pose=np.zeros((1, 3)),
    )


def judged(faces: Faces, change=lambda picture: picture) -> tuple:
    picture = change(cv2.cvtColor(photo("photo_single_face"), cv2.COLOR_BGR2GRAY))
    crops = to_crops(picture, faces.landmarks, CropGeometry(), 64, NORMALIZATION)
    height, width = picture.shape
    (reliability,), (reasons,) = judge(faces, crops, NORMALIZATION, width, height)
    return float(reliability), int(reasons)


def test_a_good_view_is_trusted_without_reserve(face):
    assert judged(face) == (1.0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda picture: cv2.GaussianBlur(picture, (0, 0), 9.0), BLURRED),  # out of focus
        (lambda picture: cv2.blur(picture, (37, 1)), BLURRED),  # in motion
        (lambda picture: cv2.convertScaleAbs(picture, alpha=0.15), DARK),
    ],
)
def test_a_bad_picture_is_named(face, change, reason):
    reliability, reasons = judged(face, change)
    assert reasons == reason and reliability < 0.5


def test_a_dim_picture_is_as_sharp_as_a_bright_one(face):
    assert judged(face, lambda picture: cv2.convertScaleAbs(picture, alpha=0.5))[1] == 0


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"pose": [[40.0, 0.0, 0.0]]}, TURNED),
        ({"pose": [[0.0, -35.0, 0.0]]}, TURNED),
        ({"pose": [[np.nan, np.nan, np.nan]]}, TURNED),
        ({"boxes": [[100.0, 100.0, 130.0, 130.0]]}, SMALL),
        ({"boxes": [[-60.0, 100.0, 150.0, 310.0]]}, CUT),
    ],
)
def test_a_bad_view_is_named(face, arrays, reason):
    reliability, reasons = judged(face.replace(**{name: np.array(v) for name, v in arrays.items()}))
    assert reasons == reason and reliability < 0.5


def test_a_head_tilted_to_a_shoulder_is_no_worse_and_one_turned_a_little_still_trusted(face):
    assert judged(face.replace(pose=np.array([[10.0, 10.0, 40.0]]))) == (1.0, 0)


@pytest.mark.parametrize(("age", "stale"), [(0.0, False), (0.1, False), (0.5, True), (np.nan, True)])
def test_an_old_classification_speaks_less_and_less_for_the_picture(face, age, stale):
    faces = face.replace(reliability=np.ones(1), classification_age=np.array([age]))
    aged = as_told(faces)
    assert (aged.unreliable_reasons[0] == STALE) == stale and (aged.reliability[0] < 0.5) == stale
    fresh = as_told(aged.replace(classification_age=np.zeros(1)))
    assert fresh.unreliable_reasons[0] == 0


def test_a_distribution_that_names_no_expression_is_uncertain_however_good_the_view(face):
    seen = face.replace(reliability=np.ones(1), classification_age=np.zeros(1))
    unsure = as_told(seen.replace(probabilities=np.array([[0.2, 0.1, 0.1, 0.3, 0.1, 0.1, 0.1]])))
    assert unsure.unreliable_reasons[0] == UNCERTAIN and unsure.reliability[0] < 0.5
    sure = as_told(unsure.replace(probabilities=HAPPY, reliability=np.ones(1)))
    assert (sure.reliability[0], sure.unreliable_reasons[0]) == (1.0, 0)
