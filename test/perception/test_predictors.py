"""Which predictor is made, and of two as one who is asked about which face."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photos import photo

from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.paired_landmarks import PairedLandmarkPredictor, is_turned
from lightfer_ros.perception.predictors import AUTO, make_predictor


def made(name: str) -> LandmarkPredictor:
    try:
        return make_predictor(name)
    except ModelError as error:
        pytest.skip(str(error))


class Asked:
    """Answers with one face for all, and keeps which boxes it was asked about."""

    def __init__(self, name: str, answer: np.ndarray) -> None:
        self.name = name
        self.boxes: list = []
        self._answer = answer

    def predict(self, grey, boxes, before=None):
        self.boxes.append(boxes[:, 0].tolist())
        return np.tile(self._answer, (len(boxes), 1, 1)).astype(np.float32)

    def glance(self, grey, boxes):
        return np.tile(self._answer, (len(boxes), 1, 1)).astype(np.float32)


def face(aside: float, angle: float = 0.0) -> np.ndarray:
    """Landmarks, float32 [68, 2], whose nose is `aside` eye distances from the middle; the rest lies at 0."""
    points = np.zeros((68, 2))
    points[36], points[45], points[30] = (-50, 0), (50, 0), (100 * aside, 40)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points @ turn.T).astype(np.float32)


BOXES = np.array([[0, 0, 9, 9], [10, 0, 19, 9], [20, 0, 29, 9]], np.float32)
GREY = np.zeros((9, 30), np.uint8)


def test_a_predictor_is_made_by_its_name_and_an_unknown_one_refused_with_the_names_there_are():
    assert made("dlib").name == "dlib"
    assert made("mesh").name == "mesh"
    with pytest.raises(ConfigurationError, match="landmarks is 'eyes', expected one of auto, dlib, mesh"):
        make_predictor("eyes")


def test_auto_pairs_both_and_without_the_mesh_takes_dlibs_and_says_why_once(monkeypatch, caplog):
    assert made(AUTO).name == "dlib+mesh"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert made(AUTO).name == "dlib"
    assert caplog.text.count("landmarks mesh passed over: landmarks mesh needs onnxruntime") == 1


def test_a_known_face_is_fitted_by_dlib_while_it_looks_ahead_and_by_the_mesh_while_it_is_turned():
    ahead, turned = Asked("dlib", face(0.0)), Asked("mesh", face(0.4))
    before = np.stack([face(0.0), face(0.5), face(-0.5)])
    found = PairedLandmarkPredictor(ahead, turned).predict(GREY, BOXES, before)
    assert (ahead.boxes, turned.boxes) == ([[0.0]], [[10.0, 20.0]])
    np.testing.assert_array_equal(is_turned(found), [False, True, True])


def test_a_face_that_looks_turned_but_not_to_the_mesh_is_half_hidden_and_fitted_by_dlib():
    ahead, mesh = Asked("dlib", face(0.05)), Asked("mesh", face(0.1))
    found = PairedLandmarkPredictor(ahead, mesh).predict(GREY, BOXES[:1], face(0.5)[None])
    assert (ahead.boxes, mesh.boxes) == ([[0.0]], [[0.0]])
    np.testing.assert_array_equal(found[0], face(0.05))


def test_of_a_new_face_a_glance_of_the_mesh_says_whether_it_is_turned():
    ahead = Asked("dlib", face(0.0))
    for aside, expected in ((0.1, False), (0.5, True)):
        found = PairedLandmarkPredictor(ahead, Asked("mesh", face(aside))).predict(GREY, BOXES)
        np.testing.assert_array_equal(is_turned(found), [expected] * 3)
    assert PairedLandmarkPredictor(ahead, ahead).predict(GREY, BOXES[:0]).shape == (0, 68, 2)


@given(aside=st.floats(-1, 1), angle=st.floats(-np.pi, np.pi))
def test_being_turned_does_not_depend_on_tilt(aside, angle):
    if abs(abs(aside) - 0.2) > 1e-3:
        assert is_turned(face(aside, angle)[None]).tolist() == [abs(aside) > 0.2]


@pytest.mark.parametrize("name, whose", [("photo_single_face", "dlib"), ("photo_posed_45_degrees", "mesh")])
def test_on_photos_who_looks_ahead_has_dlibs_landmarks_and_who_is_turned_the_meshs(name, whose):
    frame = Frame.from_array(photo(name))
    boxes = make_detector(DetectionOptions("yunet", scale=1.0)).detect(frame).boxes[:1]
    paired, one = (made(each).predict(frame.grey, boxes) for each in (AUTO, whose))
    np.testing.assert_allclose(paired, one, atol=0.06 * (boxes[0, 2] - boxes[0, 0]) if whose == "mesh" else 0)
