"""The scenes of the benchmarks hold the people they say, found all the time, in a motion without a jump."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from lightfer_ros.benchmark.scenes import HEIGHT, RATE, SCENES, SECONDS, WIDTH, frames, write_video
from lightfer_ros.errors import ModelError
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.name)
def scene(request):
    return request.param


@pytest.fixture(scope="module")
def turn(scene) -> list:
    try:
        return list(frames(scene))
    except ModelError as error:
        pytest.skip(str(error))


def test_hog_finds_everybody_in_every_phase_of_the_motion(scene, turn):
    detector = make_detector(DetectionOptions("dlib_hog"))
    for frame in turn[:: RATE // 2]:
        faces = detector.detect(Frame.from_array(frame))
        assert len(faces) == scene.people
        assert (faces.boxes[:, 2] - faces.boxes[:, 0]).min() >= 80


def test_the_motion_is_gentle_and_its_end_meets_its_beginning(turn):
    assert len(turn) == SECONDS * RATE
    steps = [np.abs(one.astype(int) - other).mean() for one, other in pairwise([*turn, turn[0]])]
    assert min(steps) > 0.1  # no picture comes twice
    assert steps[-1] < 1.5 * max(steps[:-1])


def test_the_video_holds_one_turn(scene, turn, tmp_path):
    path = tmp_path / "scene.mp4"
    write_video(scene, path)
    video = cv2.VideoCapture(str(path))
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (WIDTH, HEIGHT)
    assert video.get(cv2.CAP_PROP_FPS) == RATE and video.get(cv2.CAP_PROP_FRAME_COUNT) == len(turn)
    _, first = video.read()
    assert np.abs(first.astype(int) - turn[0]).mean() < 5
