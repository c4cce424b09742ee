"""Answers in time: who was classified only just now waits until the answer is out, nobody else does."""

from __future__ import annotations

import numpy as np
import pytest
from photos import photo

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
    for frame in range(10):
        faces = pipeline.process(photo("photo_multi_face"), frame * GAP)
        before_answer = len(asked)
        assert len(faces) >= 4 and np.isfinite(faces.probabilities).all()
        assert bool(before_answer) == (frame == 0)
        pipeline.refine()
        asked.clear()


def test_every_face_has_its_ten_turns_a_second_and_ages_say_how_old_its_classification_is(pipeline, asked):
    pipeline.reconfigure(AT_ONCE)
    told = played(pipeline, 31)
    assert sum(asked) >= 11 * len(told[0])
    ages = np.array([faces.classification_age for faces in told])
    assert not ages[0].any()
    assert (ages[1:] > 0).all() and ages.max() <= 0.1 + 1e-6


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
    for faces in played(pipeline, 4, gap=0.2):
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


def test_after_a_reset_nobody_waits(pipeline, asked):
    pipeline.reconfigure(AT_ONCE)
    for frame in range(3):
        pipeline.process(photo("photo_multi_face"), frame * GAP)
    pipeline.reset()
    asked.clear()
    pipeline.refine()
    assert not asked
