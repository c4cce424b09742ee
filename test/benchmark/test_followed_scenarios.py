"""People who cross, walk behind a pillar or turn away are followed as well as the documentation says."""

from __future__ import annotations

import pytest

pytest.importorskip(
    "skimage", reason="the scenarios' backgrounds come with scikit-image, of the benchmark extra"
)

from lightfer_ros.benchmark.scenes import RATE
from lightfer_ros.benchmark.track_video import frames
from lightfer_ros.benchmark.tracking_metrics import measure
from lightfer_ros.benchmark.truth import TrackedBoxes
from lightfer_ros.errors import ModelError


def filmed(scenario: str, seed: int):
    try:
        yield from frames(scenario, seed)
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("scenario, seed", [("crossing", 0), ("occlusion", 1), ("turning", 3)])
def test_nobody_is_made_up_or_gets_another_id_and_who_can_be_seen_is_found(pipeline, scenario, seed):
    truth, reported = [], []
    for index, (picture, true) in enumerate(filmed(scenario, seed)):
        faces = pipeline.process(picture, index / RATE)
        truth.append(true)
        reported.append(TrackedBoxes(faces.track_id, faces.boxes))
    result = measure(truth, reported)
    assert result.precision == 1.0
    assert result.id_switches == 0 and result.idf1 > 0.96
    assert result.recall > 0.93
