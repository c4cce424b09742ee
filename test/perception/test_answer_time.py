"""Answers in time: who was classified only just now waits until the answer is out, nobody else does."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from photos import photo

from lightfer_ros.perception import stages
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig
from lightfer_ros.perception.turns import Turns

GAP = 1 / 30
AT_ONCE = PipelineConfig(answer_ms=0.001, budget_ms=0.0)
"""There is never time for anybody who can wait."""


@pytest.fixture
def asked(pipeline, monkeypatch) -> list:
    """How many faces the network was shown in each call since."""
    calls, look = [], pipeline.session.look
    monkeypatch.setattr(pipeline.session, "look", lambda batch: (calls.append(len(batch)), look(batch))[1])
    return calls


def played(pipeline: Pipeline, frames: int, gap: float = GAP, refined: bool = True) -> list:
    """What is told of four people who stand still, from the same turn on."""
    pipeline._turns = Turns()
    told = []
    for frame in range(frames):
        told.append(pipeline.process(photo("photo_multi_face"), frame * gap))
        if refined:
            pipeline.refine()
    return told


def test_an_answer_that_is_due_at_once_has_newcomers_classified_and_nobody_else(pipeline, asked):
    pipeline.reconfigure(AT_ONCE)
    waited = []
    for frame in range(10):
        faces = pipeline.process(photo("photo_multi_face"), frame * GAP)
        before_answer = len(asked)
        assert len(faces) >= 4 and np.isfinite(faces.probabilities).all()
        assert bool(before_answer) == (frame == 0)
        pipeline.refine()
        waited.append(sum(asked[before_answer:]))
        asked.clear()
    assert sum(waited) >= 2 * len(faces)


def test_ages_say_how_old_a_classification_is_and_none_is_too_old(pipeline):
    pipeline.reconfigure(AT_ONCE)
    ages = np.array([faces.classification_age for faces in played(pipeline, 31)])
    assert not ages[0].any()
    assert (ages[1:] > 0).all() and ages.max() <= 0.1 + 1e-6


def test_a_budget_is_shared_out_alike_with_and_without(pipeline, asked, monkeypatch):
    # Stages are timed by a clock on which each look takes 20 ms and nothing else any time.
    monkeypatch.setattr(stages, "time", SimpleNamespace(perf_counter=lambda: 0.02 * sum(asked)))
    looks = []
    for answer_ms in (0.0, 0.001):
        pipeline.reset()
        pipeline.reconfigure(
            PipelineConfig(answer_ms=answer_ms, budget_ms=130.0, classification_interval_s=0.06)
        )
        asked.clear()
        played(pipeline, 20, gap=0.05)
        looks.append(sum(asked))
    assert looks[1] >= 0.9 * looks[0]


def test_what_was_found_after_an_answer_is_told_with_the_next(pipeline):
    pipeline.reconfigure(AT_ONCE)
    for before, after in zip(told := played(pipeline, 12), told[1:]):
        renewed = after.classification_age < before.classification_age + GAP - 1e-6
        np.testing.assert_allclose(after.classification_age[renewed], GAP, atol=1e-6)
        np.testing.assert_allclose(
            after.classification_age[~renewed], before.classification_age[~renewed] + GAP, atol=1e-6
        )
        assert np.isfinite(after.reliability).all() and np.isfinite(after.pose).all()


def test_who_never_refines_is_told_the_same(pipeline):
    pipeline.reconfigure(AT_ONCE)
    early = played(pipeline, 10)
    pipeline.reset()
    late = played(pipeline, 10, refined=False)
    for one, other in zip(early, late):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
        np.testing.assert_array_equal(one.classification_age, other.classification_age)


def test_where_frames_come_seldom_nobody_waits_for_the_next(pipeline):
    pipeline.reconfigure(AT_ONCE)
    for faces in played(pipeline, 4, gap=0.12):
        assert not faces.classification_age.any()


def test_with_time_enough_and_without_a_limit_nobody_waits(pipeline, asked):
    for config in (PipelineConfig(answer_ms=10000.0), PipelineConfig(answer_ms=0.0)):
        pipeline.reset()
        pipeline.reconfigure(config)
        for frame in range(6):
            pipeline.process(photo("photo_multi_face"), frame * GAP)
            asked.clear()
            pipeline.refine()
            assert not asked


def somebody_waits(pipeline: Pipeline) -> bool:
    """Whether a frame has left somebody to be classified; three frames have."""
    pipeline.reconfigure(AT_ONCE)
    played(pipeline, 2)
    pipeline.process(photo("photo_multi_face"), 2 * GAP)
    return pipeline._waiting is not None


def test_after_a_reset_nobody_waits(pipeline, asked):
    assert somebody_waits(pipeline)
    pipeline.reset()
    asked.clear()
    pipeline.refine()
    assert not asked


def test_a_session_that_fails_then_says_so_once_and_everybody_stays_followed(pipeline, monkeypatch):
    assert somebody_waits(pipeline)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline.session, "look", lambda batch: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipeline.refine()
    known = pipeline._faces.track_id.tolist()
    assert pipeline.process(photo("photo_multi_face"), 3 * GAP).track_id.tolist() == known


def test_a_picture_that_shrinks_meanwhile_is_no_problem(pipeline):
    assert somebody_waits(pipeline)
    faces = pipeline.process(photo("photo_multi_face")[::2, ::2].copy(), 3 * GAP)
    assert np.isfinite(faces.probabilities).all()


def test_a_colour_picture_is_the_callers_own_again_though_somebody_waits(pipeline, monkeypatch):
    seen = []

    def look(crops):
        seen.append(crops)
        return np.full((len(crops), 7), 1 / 7, np.float32)

    monkeypatch.setattr(pipeline.session, "look", look)
    monkeypatch.setattr(pipeline.session, "metadata", dataclasses.replace(pipeline.metadata, channels=3))
    pipeline.reconfigure(AT_ONCE)
    pipeline._turns = Turns()
    for frame in range(4):
        buffer = photo("photo_multi_face").copy()
        pipeline.process(buffer, frame * GAP)
        buffer[:] = 0
        pipeline.refine()
    assert len(seen) > 2 and all(crops.std() > 0.1 for crops in seen)


def test_looks_from_before_mirrored_looks_were_off_count_no_more(pipeline, asked):
    played(pipeline, 4)
    pipeline.reconfigure(PipelineConfig(mirrored_looks=False))
    pipeline.reconfigure(PipelineConfig())
    asked.clear()
    pipeline.process(photo("photo_multi_face"), 4 * GAP)
    assert len(asked) == 2 and asked[0] == asked[1]
