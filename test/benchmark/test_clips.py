"""The clips' truth: as long as the videos, exact at its keyframes, even in between, nobody outside."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lightfer_ros.benchmark.clips import CLIPS, Clip
from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest


def test_the_box_moves_evenly_between_keyframes_and_is_there_only_between_first_and_last():
    truth = Clip(25.0, 6, {1: (0, 0, 10, 10), 3: (4, 8, 14, 18)}).truth()
    assert truth.fps == 25.0 and [len(frame) for frame in truth.frames] == [0, 1, 1, 1, 0, 0]
    boxes = [frame.boxes[0].tolist() for frame in truth.frames[1:4]]
    assert boxes == [[0, 0, 10, 10], [2, 4, 12, 14], [4, 8, 14, 18]]
    assert {int(i) for frame in truth.frames for i in frame.ids} == {1}


def test_where_nobody_is_ever_there_is_no_box():
    assert [len(frame) for frame in Clip(10.0, 3, {}).truth().frames] == [0, 0, 0]


@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_s_truth_fits_its_video(name):
    try:
        capture = cv2.VideoCapture(str(manifest.find(name)))
    except ModelError as error:
        pytest.skip(str(error))
    clip, frames = CLIPS[name], 0
    while capture.grab():
        frames += 1
    assert frames == clip.frames
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(clip.fps, abs=0.01)
    size = [capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT)] * 2
    boxes = np.array(list(clip.keyframes.values())).reshape(-1, 4)
    assert list(clip.keyframes) == sorted(clip.keyframes) and all(f < frames for f in clip.keyframes)
    # A chin may be below the picture's edge, by a little.
    assert (boxes[:, :2] >= 0).all() and (boxes <= np.array(size) + 12).all()
