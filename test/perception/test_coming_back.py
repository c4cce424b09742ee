"""Who was out of sight and is known again is told of as they look now."""

from __future__ import annotations

import numpy as np
import pytest
from photos import photo

from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig

GAP = 1 / 30


@pytest.mark.parametrize("start", [8, 9, 10, 11, 12])  # it is another's turn at each
@pytest.mark.parametrize("frames", [1, 12])
def test_who_is_known_again_has_a_pose_and_an_expression_of_this_very_frame(
    pipeline: Pipeline, start: int, frames: int
):
    pipeline.reconfigure(PipelineConfig(budget_ms=1.0))  # one face a frame, and whoever never had a turn
    picture = photo("photo_multi_face")
    before = [pipeline.process(picture, index * GAP) for index in range(start)][-1]
    first = before.boxes[0].astype(int)
    hidden = picture.copy()
    middle, half = (first[:2] + first[2:]) // 2, (first[2:] - first[:2]) * 3 // 4
    (left, top), (right, bottom) = np.maximum(middle - half, 0), middle + half
    hidden[top:bottom, left:right] = 90
    end = start + frames
    away = [pipeline.process(hidden, index * GAP) for index in range(start, end)][-1]
    gone = sorted(set(before.track_id.tolist()) - set(away.track_id.tolist()))
    assert gone == [before.track_id[0]]
    for index in range(end, end + 8):
        back = pipeline.process(picture, index * GAP)
        if gone[0] in back.track_id:
            break
    found = back[back.track_id == gone[0]]
    assert len(found) == 1
    assert np.isfinite(found.pose).all() and found.reliability[0] > 0.0
    assert found.classification_age[0] == 0.0
