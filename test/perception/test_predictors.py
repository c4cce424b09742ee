"""Which predictor is made, and of two as one who is asked about which face."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photos import photo

from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.paired_landmarks import PairedLandmarkPredictor, is_turned, mesh_share
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


TILTING = ((260, 127, 97), (581, 379, 113), (737, 367, 115))
"""Of three faces of a photo the middle and the width of the box: dlib's landmarks of them fail beyond 30°."""

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


@pytest.mark.parametrize("side", [1, -1])
def test_a_known_face_that_tilts_goes_over_from_dlibs_landmarks_to_the_meshs_without_a_jump(side):
    shares = []
    for degrees in np.arange(0.0, 40.0, 0.5):
        before = face(0.0, side * np.radians(degrees))
        dlibs, meshes = Asked("dlib", before), Asked("mesh", before + [0.0, 10.0])
        found = PairedLandmarkPredictor(dlibs, meshes).predict(GREY, BOXES[:1], before[None])
        shares.append(float((found[0] - before)[0, 1]) / 10)
        assert [[0.0]] in (dlibs.boxes, meshes.boxes)
    assert (shares[0], shares[30], shares[-1]) == (0.0, 0.0, 1.0)
    assert (np.diff(shares) > -1e-3).all() and (np.diff(shares) < 0.11).all()


def test_a_new_face_that_a_glance_sees_tilted_a_little_is_looked_at_again_and_the_second_look_decides():
    for degrees, expected in ((30.0, 1.0), (10.0, 0.0)):
        mesh = Asked("mesh", face(0.0, np.radians(degrees)))
        mesh.glance = lambda grey, boxes: np.tile(face(0.0, np.radians(9.0)), (len(boxes), 1, 1))
        found = PairedLandmarkPredictor(Asked("dlib", face(0.0)), mesh).predict(GREY, BOXES[:1])
        np.testing.assert_allclose(found[0], face(0.0, np.radians(degrees * expected)))
        assert mesh_share(found).tolist() == [expected]


@pytest.mark.parametrize("x, y, side", TILTING)
def test_a_head_that_tilts_by_40_degrees_and_stays_so_is_told_of_under_one_id(pipeline, x, y, side):
    told = set()
    frames = 0
    for index, part in enumerate([0.0] * 5 + [each / 10 for each in range(1, 11)] + [1.0] * 20):
        turn = cv2.getRotationMatrix2D((x, y), -40 * part, 150 / side)
        turn[:, 2] += (160 - x, 160 - y)
        picture = cv2.warpAffine(photo("photo_multi_face"), turn, (320, 320), borderValue=(128, 128, 128))
        faces = pipeline.process(picture, 1_800_000_000.0 + index / 30)
        centres = (faces.boxes[:, :2] + faces.boxes[:, 2:]) / 2
        here = (np.abs(centres - 160) < 40).all(axis=1)
        told |= set(faces.track_id[here].tolist())
        frames += bool(here.any())
    assert frames >= 34
    assert len(told) == 1


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
