"""Head pose: the angles a known head was turned by come back; on photos, signs are those a person sees."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photos import photo

from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.pose import HEAD, POINTS, head_poses

WIDTH, HEIGHT, FOCAL = 640, 480, 600.0
OPTICAL = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def rotated(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation of HeadPose.msg, Rz(yaw) · Ry(pitch) · Rx(roll), in the camera's optical frame."""
    z, y, x = np.radians([yaw, pitch, roll])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    return OPTICAL.T @ about_z @ about_y @ about_x @ OPTICAL


def filmed(rotation: np.ndarray, at: tuple, trembling: float = 0.0) -> np.ndarray:
    """Landmarks of the model head at a place before the camera, centimetres; those without a part are 0."""
    camera = np.array([[FOCAL, 0, WIDTH / 2 - 0.5], [0, FOCAL, HEIGHT / 2 - 0.5], [0, 0, 1]])
    points, _ = cv2.projectPoints(HEAD, cv2.Rodrigues(rotation)[0], np.array(at, float), camera, None)
    landmarks = np.zeros((1, 68, 2), np.float32)
    landmarks[0, list(POINTS)] = points[:, 0]
    landmarks[0, list(POINTS)] += np.random.default_rng(0).normal(0, trembling, (len(POINTS), 2))
    return landmarks


@settings(max_examples=60)
@given(
    angles=st.tuples(st.floats(-60, 60), st.floats(-40, 40), st.floats(-60, 60)),
    at=st.tuples(st.floats(-25, 25), st.floats(-20, 20), st.floats(50, 200)),
)
def test_the_angles_that_a_head_was_turned_by_come_back_wherever_it_is(angles, at):
    poses, confidence = head_poses(filmed(rotated(*angles), at), WIDTH, HEIGHT, FOCAL)
    np.testing.assert_allclose(poses[0], angles, atol=0.5)
    assert confidence[0] == 1.0


def test_landmarks_that_tremble_by_a_pixel_cost_some_degrees_and_scattered_ones_all_confidence():
    poses, confidence = head_poses(filmed(rotated(20, 10, -15), (0, 0, 70), 1.0), WIDTH, HEIGHT, FOCAL)
    np.testing.assert_allclose(poses[0], (20, 10, -15), atol=5)
    assert confidence[0] > 0.9
    _, scattered = head_poses(filmed(rotated(20, 10, -15), (0, 0, 70), 25.0), WIDTH, HEIGHT, FOCAL)
    assert scattered[0] < 0.3


def test_nobody_has_no_pose_and_a_point_is_no_head():
    assert head_poses(np.empty((0, 68, 2), np.float32), WIDTH, HEIGHT)[0].shape == (0, 3)
    poses, confidence = head_poses(np.full((1, 68, 2), 7.0, np.float32), WIDTH, HEIGHT)
    assert np.isnan(poses).all() and confidence[0] == 0.0


def pose_in(picture: np.ndarray, dlib_predictor: DlibLandmarkPredictor) -> np.ndarray:
    frame = Frame.from_array(picture)
    boxes = make_detector(DetectionOptions("yunet", scale=1.0)).detect(frame).boxes[:1]
    return head_poses(dlib_predictor.predict(frame.grey, boxes), frame.width, frame.height)[0][0]


@pytest.mark.parametrize("name", ["photo_single_face", "photo_posed_frontal_1", "photo_posed_frontal_2"])
def test_who_looks_at_the_camera_is_hardly_turned(dlib_predictor, name):
    assert np.abs(pose_in(photo(name), dlib_predictor)).max() < 10


def test_a_mirrored_picture_mirrors_yaw_and_roll_and_a_tilted_one_adds_to_roll(dlib_predictor):
    picture = photo("photo_single_face")
    yaw, pitch, roll = pose_in(picture, dlib_predictor)
    mirrored = pose_in(np.ascontiguousarray(picture[:, ::-1]), dlib_predictor)
    np.testing.assert_allclose(mirrored, (-yaw, pitch, -roll), atol=4)
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1.0)  # counter-clockwise
    tilted = pose_in(cv2.warpAffine(picture, turn, (width, height)), dlib_predictor)
    np.testing.assert_allclose(tilted, (yaw, pitch, roll + 20), atol=4)
