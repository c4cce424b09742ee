"""A second thread finds head poses while faces are classified: sooner, and the same."""

import threading

import numpy as np
import pytest
from photos import photo

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig


def _names():
    return [thread.name for thread in threading.enumerate()]


def _answers(threads, picture):
    try:
        with Pipeline(PipelineConfig(threads=threads, budget_ms=0.0)) as pipeline:
            found = [pipeline.process(picture, i / 30) for i in range(4)]
            beside = [name for name in _names() if name.startswith("pose")]
    except ModelError as error:
        pytest.skip(str(error))
    return found, beside


@pytest.mark.parametrize("threads", [1, 2])
def test_a_pipeline_that_is_closed_says_so(threads):
    picture = photo("photo_multi_face")
    try:
        pipeline = Pipeline(PipelineConfig(threads=threads))
    except ModelError as error:
        pytest.skip(str(error))
    pipeline.process(picture, 0.0)
    pipeline.close()
    pipeline.close()
    with pytest.raises(RuntimeUnavailableError, match="is closed"):
        pipeline.process(picture, 1.0)


def test_with_two_threads_poses_and_reliability_are_the_same_and_the_second_ends_with_the_pipeline():
    picture = photo("photo_multi_face")
    one, none = _answers(1, picture)
    two, beside = _answers(2, picture)
    assert len(one[0]) >= 3 and not none and len(beside) == 1
    for alone, together in zip(one, two):
        assert np.isfinite(alone.pose).all()
        np.testing.assert_array_equal(together.pose, alone.pose)
        np.testing.assert_array_equal(together.pose_confidence, alone.pose_confidence)
        np.testing.assert_allclose(together.reliability, alone.reliability, atol=1e-4)
    assert not [name for name in _names() if name.startswith("pose")]
