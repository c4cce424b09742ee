"""What a frame has left to do when its answer is out, done then or in the next frame, finds the same."""

from __future__ import annotations

import dataclasses

import numpy as np
from photos import photo

from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.following import FIT_INTERVAL_S
from lightfer_ros.perception.pipeline import Pipeline

GAP = 1 / 30


def pictures() -> list:
    """Four people who wander off together for a second."""
    return [np.roll(photo("photo_multi_face"), (n, 2 * n), axis=(0, 1)) for n in range(30)]


def landmarks_of(pipeline: Pipeline, refined: bool) -> list:
    found = []
    for index, picture in enumerate(pictures()):
        found.append(pipeline.process(picture, index * GAP).landmarks)
        if refined:
            pipeline.refine()
    return found


def test_who_refines_after_each_answer_finds_what_others_find(pipeline):
    late = landmarks_of(pipeline, refined=False)
    pipeline.reset()
    early = landmarks_of(pipeline, refined=True)
    assert min(map(len, late)) >= 4
    for one, other in zip(late, early):
        np.testing.assert_array_equal(one, other)


def test_what_the_caller_does_with_an_answer_does_not_reach_the_next_one(pipeline):
    names = [field.name for field in dataclasses.fields(Faces)]
    with Pipeline(pipeline.config) as one, Pipeline(pipeline.config) as other:
        for index, picture in enumerate(pictures()):
            untouched, faces = (each.process(picture, index * GAP) for each in (one, other))
            for name in names:
                np.testing.assert_array_equal(getattr(faces, name), getattr(untouched, name), name)
                getattr(faces, name)[:] = 0
            one.refine()
            other.refine()


def test_answers_wait_for_no_fit_and_every_face_is_fitted_in_time(pipeline, monkeypatch):
    fits, answering = {True: 0, False: 0}, False
    predictor, predict = type(pipeline._predictor), pipeline._predictor.predict

    def counted(self, grey, boxes, before=None):
        fits[answering] += len(boxes)
        return predict(grey, boxes, before)

    monkeypatch.setattr(predictor, "predict", counted)
    for index, picture in enumerate(pictures()):
        answering = True
        pipeline.process(picture, index * GAP)
        answering = False
        if index == 0:
            fits[True] = 0  # who is new
        pipeline.refine()
        assert pipeline.stage_seconds["refine"] > 0
    assert fits[True] == 0
    assert 4 * (29 * GAP / FIT_INTERVAL_S - 1) <= fits[False] <= 4 * 8


def test_after_a_reset_there_is_nothing_left_to_refine(pipeline):
    pipeline.process(photo("photo_multi_face"), 0.0)
    assert pipeline._tracker._unrefined is not None
    pipeline.reset()
    assert pipeline._tracker._unrefined is None
    pipeline.refine()


def test_a_grey_array_is_the_callers_own_again_when_the_answer_is_there(pipeline):
    greys = [np.ascontiguousarray(picture[..., 1]) for picture in pictures()]
    apart = [pipeline.process(grey, index * GAP).landmarks for index, grey in enumerate(greys)]
    pipeline.reset()
    buffer = np.empty_like(greys[0])
    for index, grey in enumerate(greys):
        buffer[:] = grey
        np.testing.assert_array_equal(pipeline.process(buffer, index * GAP).landmarks, apart[index])


def test_who_is_found_in_every_frame_is_not_fitted_twice(pipeline, monkeypatch):
    fits, predictor = [], type(pipeline._predictor)
    predict = pipeline._predictor.predict
    monkeypatch.setattr(predictor, "predict", lambda self, *rest: (fits.append(0), predict(*rest))[1])
    for second in range(4):  # a camera of one frame a second: nobody is followed
        pipeline.process(photo("photo_multi_face"), float(second))
        pipeline.refine()
    assert len(fits) == 4
