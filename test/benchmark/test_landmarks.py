"""Heads that are turned by drawing: points go where their skin goes, and followed landmarks go with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightfer_ros.benchmark import landmarks
from lightfer_ros.benchmark.landmarks import Face
from lightfer_ros.cli.main import main
from lightfer_ros.errors import LightferError
from lightfer_ros.perception.config import PipelineConfig
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.face_tracker import FaceTracker
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.predictors import AUTO, make_predictor
from lightfer_ros.perception.stages import StageTimes

pytest.importorskip("onnxruntime")
pytest.importorskip("scipy.spatial")

NOSE_TIP, CHIN = 30, 8


@pytest.fixture(scope="module")
def predictors() -> dict[str, LandmarkPredictor]:
    try:
        return {name: make_predictor(name) for name in ("mesh", AUTO)}
    except LightferError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def face(predictors) -> Face:
    try:
        return next(landmarks._faces(make_detector(DetectionOptions("yunet")), predictors))
    except LightferError as error:
        pytest.skip(str(error))


def test_a_head_that_is_not_turned_is_the_photo(face):
    points = face.landmarks["mesh"]
    view = face.surface.turned(0.0)
    np.testing.assert_allclose(view.carry(points), points, atol=0.01)
    x, y = points.mean(axis=0).astype(int)
    around = np.s_[y - 40 : y + 40, x - 40 : x + 40]
    difference = view.picture[around].astype(int) - face.surface.photo[around]
    assert np.abs(difference).mean() < 1.0


@pytest.mark.parametrize("yaw", [30, -30])
def test_turned_to_the_own_left_the_nose_goes_right_in_the_picture_and_yaw_is_positive(face, predictors, yaw):
    view = face.surface.turned(yaw)
    carried = view.carry(face.landmarks["mesh"])
    nose_to_chin = (carried[NOSE_TIP] - carried[CHIN])[0] - (np.subtract(*face.landmarks["mesh"][[30, 8]]))[0]
    assert nose_to_chin * yaw > 0
    frame = Frame.from_array(view.picture)
    boxes = make_detector(DetectionOptions("yunet")).detect(frame).boxes[:1]
    found = predictors["mesh"].predict(frame.grey, boxes)[0]
    assert landmarks._error(found, carried, face.landmarks["mesh"]) < 0.05
    assert landmarks._yaw_deg(found, frame) - face.yaw_deg["mesh"] == pytest.approx(yaw, abs=10)


@settings(max_examples=10)
@given(tilt=st.floats(-90, 90))
def test_tilting_alone_keeps_all_distances(face, tilt):
    points = face.landmarks["mesh"].astype(float)
    carried = face.surface.turned(0.0, tilt).carry(points)
    for first, second in ((36, 45), (27, 8), (48, 54)):
        before, after = (np.linalg.norm(each[first] - each[second]) for each in (points, carried))
        assert after == pytest.approx(before, rel=1e-3)


def test_a_head_that_turns_fast_keeps_its_id_and_its_landmarks(face, predictors):
    tracker, ids = FaceTracker(PipelineConfig(), predictors[AUTO]), set()
    turning = np.arange(0, 61, 6)  # 180 degrees a second
    for index, yaw in enumerate([0, 0, 0, *turning, 60, 60, 60, 60, *turning[::-1]]):
        view = face.surface.turned(float(yaw))
        (seen,) = [tracker.update(Frame.from_array(view.picture), index / 30, StageTimes())]
        ids.update(seen.track_id.tolist())
        assert len(seen) == 1
        error = landmarks._error(seen.landmarks[0], view.carry(face.landmarks[AUTO]), face.landmarks[AUTO])
        assert error < 0.13, yaw
    assert len(ids) == 1


def test_the_table_has_a_row_for_each_angle_and_a_column_for_each_predictor(face, monkeypatch, capsys):
    monkeypatch.setattr(landmarks, "PHOTOS", ("photo_single_face",))
    monkeypatch.setattr(landmarks, "ANGLES_DEG", ((0, 0), (45, 0), (0, 15)))
    assert main(["benchmark", "landmarks"]) == 0
    said = capsys.readouterr().out
    assert "1 faces of 160 px" in said
    for row in ("yaw 0°         1 of  1", "yaw 45°        2 of  2", "tilt 15°       2 of  2"):
        assert row in said
    for name in ("dlib error", "mesh error", "auto error"):
        assert name in said
