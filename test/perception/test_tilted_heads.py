"""A head on a shoulder: searched upright, and followed for as long as it stays there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.perception.detection import DETECTORS, DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import tilt_deg
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.perception.tracking import box_iou

FACE = np.array([170.0, 185.0, 380.0, 395.0])
"""The face of the photo by eye, pixels."""

GAP = 1 / 30


def tilted(degrees: float) -> np.ndarray:
    """The photo turned around its one face as a clock's hand turns."""
    picture, middle = photo("photo_single_face"), (FACE[:2] + FACE[2:]) / 2
    turn = cv2.getRotationMatrix2D(middle.tolist(), -degrees, 1.0)
    return cv2.warpAffine(picture, turn, picture.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def found(faces, face=FACE) -> bool:
    return bool(len(faces)) and float(box_iou(faces.boxes, face[None]).max()) >= 0.6


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("degrees", [-90.0, -60.0, 60.0, 90.0])
def test_a_search_told_of_the_tilt_finds_the_face_and_another_does_not(detector, degrees):
    finder, frame = make_detector(DetectionOptions(detector)), Frame.from_array(tilted(degrees))
    assert found(finder.search(frame, FACE, None, degrees))
    assert not found(finder.search(frame, FACE))


def test_small_tilts_are_searched_as_they_are(monkeypatch):
    finder, frame = make_detector(DetectionOptions("yunet")), Frame.from_array(tilted(20.0))
    monkeypatch.setattr(type(finder), "_search_turned", None)
    assert found(finder.search(frame, FACE, None, 20.0))


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("believed", [-60.0, 60.0])
def test_an_upright_face_is_found_though_its_eyes_are_not_level(detector, believed):
    # as those of who looks aside and down, from a camera that stands low
    finder, frame = make_detector(DetectionOptions(detector)), Frame.from_array(tilted(0.0))
    assert found(finder.search(frame, FACE, None, believed))


def test_the_tilt_is_that_of_the_line_through_the_eyes(dlib_predictor):
    box = FACE[None].astype(np.float32)
    upright, *others = (
        float(tilt_deg(dlib_predictor.predict(Frame.from_array(tilted(degrees)).grey, box))[0])
        for degrees in (0.0, -20.0, 20.0)
    )
    assert others == pytest.approx([upright - 20.0, upright + 20.0], abs=3.0)


@pytest.mark.parametrize(("scale", "most"), [(0.4, -50.0), (0.6, 55.0)])
def test_who_tilts_the_head_and_stays_so_for_two_seconds_is_told_of_all_the_time(
    pipeline: Pipeline, scale: float, most: float
):
    way = [0.0] * 6 + [most * n / 10 for n in range(1, 11)] + [most] * 60
    pictures = {degrees: placed(resized(tilted(degrees), scale), 100, 60) for degrees in set(way)}
    face = scale * FACE + [100, 60, 100, 60]
    ids = []
    for index, degrees in enumerate(way):
        faces = pipeline.process(pictures[degrees], index * GAP)
        pipeline.refine()
        assert found(faces, face), (index, degrees)
        ids += faces.track_id.tolist()
    assert set(ids) == {ids[0]}
