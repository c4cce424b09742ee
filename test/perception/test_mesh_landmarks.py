"""The mesh's landmarks on real photos: dlib's own on faces that look ahead, and right on turned ones."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photos import photo, placed, resized

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.mesh_landmarks import (
    IBUG,
    SIDE,
    MeshLandmarkPredictor,
    _square_of_landmarks,
)
from lightfer_ros.perception.pose import head_poses

MIRROR = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, *range(35, 30, -1)]
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    + [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
)
"""The landmark that each becomes in a mirror."""


@pytest.fixture(scope="module")
def predictor() -> MeshLandmarkPredictor:
    pytest.importorskip("onnxruntime")
    return MeshLandmarkPredictor(manifest.verified("face_mesh_192"))


def grey_and_boxes(picture: np.ndarray) -> tuple:
    frame = Frame.from_array(picture)
    return frame.grey, make_detector(DetectionOptions("yunet", scale=1.0)).detect(frame).boxes


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean distance of landmarks, float [n, 68, 2], in distances of the outer eye corners, [n]."""
    eyes = np.linalg.norm(other[:, 36] - other[:, 45], axis=1)
    return np.linalg.norm(one - other, axis=2).mean(axis=1) / eyes


@pytest.mark.parametrize("name", ["photo_single_face", "photo_multi_face", "photo_posed_frontal_1"])
def test_on_faces_that_look_ahead_they_are_where_dlib_has_them(predictor, dlib_predictor, name):
    grey, boxes = grey_and_boxes(photo(name))
    found = predictor.predict(grey, boxes)
    assert found.shape == (len(boxes), 68, 2) and found.dtype == np.float32
    assert (apart(found, dlib_predictor.predict(grey, boxes)) < 0.06).all()


def test_a_head_turned_by_45_degrees_is_turned_and_in_a_mirror_to_the_other_side(predictor):
    picture, yaws = photo("photo_posed_45_degrees"), []
    for seen in (picture, np.ascontiguousarray(picture[:, ::-1])):
        grey, boxes = grey_and_boxes(seen)
        height, width = grey.shape
        poses, _ = head_poses(predictor.predict(grey, boxes[:1]), width, height, 4.0 * width)
        yaws.append(float(poses[0, 0]))
    assert -55 < yaws[0] < -25 and 25 < yaws[1] < 55  # by dlib's landmarks both are to the same side


def test_a_mirrored_face_has_mirrored_landmarks(predictor):
    grey, boxes = grey_and_boxes(photo("photo_single_face"))
    found = predictor.predict(grey, boxes)
    edge = grey.shape[1]
    mirrored = predictor.predict(
        np.ascontiguousarray(grey[:, ::-1]),
        np.stack([edge - boxes[:, 2], boxes[:, 1], edge - boxes[:, 0], boxes[:, 3]], 1),
    )
    back = np.stack([edge - 1 - mirrored[:, MIRROR, 0], mirrored[:, MIRROR, 1]], axis=2)
    assert apart(back, found)[0] < 0.02


def test_a_known_face_takes_one_look_a_new_one_two_with_the_same_answer(predictor, monkeypatch):
    grey, boxes = grey_and_boxes(photo("photo_multi_face"))
    looks, look = [], predictor._look
    monkeypatch.setattr(predictor, "_look", lambda *given: (looks.append(1), look(*given))[1])
    fresh = predictor.predict(grey, boxes)
    assert len(looks) == 10
    known = predictor.predict(grey, boxes, fresh + np.float32(5.0))
    assert len(looks) == 15 and (apart(known, fresh) < 0.03).all()
    assert predictor.predict(grey, boxes[:0]).shape == (0, 68, 2) and len(looks) == 15


def test_grey_is_as_good_as_colour(predictor):
    picture = photo("photo_multi_face")
    grey, boxes = grey_and_boxes(picture)
    squares = [_square_of_landmarks(points) for points in predictor.predict(grey, boxes)]
    for square in squares:
        cut = cv2.warpAffine(picture, square, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        given = np.ascontiguousarray(cut[None, :, :, ::-1], np.float32) / 255
        colour = predictor._network.run(["points"], {"picture": given})[0].reshape(468, 3)[IBUG, :2]
        scale = np.hypot(square[0, 0], square[1, 0])
        ours = (predictor._look(grey, square)[IBUG, :2] - square[:, 2]) @ square[:, :2] / scale**2
        assert apart(ours[None], colour[None] - 0.5)[0] < 0.02


@pytest.mark.parametrize("tilt", [-40, -20, 20, 40])
def test_a_tilted_face_is_found_as_an_upright_one(predictor, tilt):
    grey, boxes = grey_and_boxes(photo("photo_single_face"))
    upright = predictor.predict(grey, boxes)
    centre = tuple(float(value) for value in (boxes[0, :2] + boxes[0, 2:]) / 2)
    turn = cv2.getRotationMatrix2D(centre, tilt, 1.0)
    tilted = cv2.warpAffine(grey, turn, grey.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    expected = upright @ turn[:, :2].T + turn[:, 2]
    assert apart(predictor.predict(tilted, boxes), expected)[0] < 0.1
    assert apart(predictor.predict(tilted, boxes, expected.astype(np.float32)), expected)[0] < 0.05


@pytest.mark.parametrize("side", [40, 600])
def test_landmarks_scale_with_the_face(predictor, side):
    picture = photo("photo_single_face")
    reference = predictor.predict(*grey_and_boxes(picture))
    points = predictor.predict(*grey_and_boxes(resized(picture, side / 210)))
    assert apart(points / (side / 210), reference)[0] < 0.06


@pytest.mark.parametrize("left, top", [(-280, 0), (0, -270), (360, 0), (5000, 5000)])
def test_boxes_that_leave_the_picture_and_points_on_one_spot_give_finite_landmarks(predictor, left, top):
    picture = photo("photo_single_face")
    boxes = grey_and_boxes(picture)[1] + np.tile([left, top], 2).astype(np.float32)
    grey = cv2.cvtColor(placed(picture, left, top), cv2.COLOR_BGR2GRAY)
    assert np.isfinite(predictor.predict(grey, boxes)).all()
    assert np.isfinite(predictor.predict(grey, boxes, np.full((len(boxes), 68, 2), 9.0, np.float32))).all()


@given(
    angle=st.floats(-np.pi, np.pi),
    size=st.floats(0.1, 10.0),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_the_square_turns_grows_and_moves_with_the_landmarks(angle, size, shift):
    face = np.random.default_rng(0).uniform(-50, 50, (68, 2))
    face[36], face[45] = (-30, 0), (30, 0)
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    before, after = _square_of_landmarks(face), _square_of_landmarks(face @ turn.T + shift)
    np.testing.assert_allclose(after[:, :2], turn @ before[:, :2], atol=1e-6)
    np.testing.assert_allclose(after[:, 2], turn @ before[:, 2] + shift, atol=1e-6)


@pytest.mark.parametrize("content", [None, b"", b"not a network"])
def test_a_file_that_is_no_network_is_refused_with_its_path(tmp_path, content):
    path = tmp_path / "mesh.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"landmarks mesh file .*mesh\.onnx cannot be"):
        MeshLandmarkPredictor(path)


def test_another_network_is_refused_with_what_it_takes(predictor):
    path = manifest.find("default")
    with pytest.raises(ModelError, match=r"has inputs .*, expected picture \[1, 192, 192, 3\]"):
        MeshLandmarkPredictor(path)


def test_without_onnx_runtime_it_says_what_to_install_or_use(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RuntimeUnavailableError, match=r"landmarks mesh needs onnxruntime .*or use dlib"):
        MeshLandmarkPredictor(manifest.find("face_mesh_192"))
