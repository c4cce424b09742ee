"""Smoothing, measured: what counts as a change and as following it, and that the shipped settings do both."""

from __future__ import annotations

import math

import pytest

from lightfer_ros.benchmark.expression_videos import BETWEEN, FAR_PX, held, spliced
from lightfer_ros.benchmark.smoothing import Row, accuracy, changes_per_minute, follows, measured, one
from lightfer_ros.errors import ModelError
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig

STAMPS = [0.5 * n for n in range(8)]


def test_changes_are_counted_of_each_face_while_it_is_in_view():
    labels = [{1: "sad"}, {1: "happy"}, {1: "happy", 2: "sad"}, {2: "fear"}, {}, {2: "sad"}, {2: "sad"}]
    # 1 is seen to go on twice, 2 twice: two changes in two seconds.
    assert changes_per_minute(STAMPS[:7], labels) == 60.0
    assert math.isnan(changes_per_minute(STAMPS, [{}] * 8))


def test_a_label_has_followed_when_it_stays_right():
    truth = ["sad"] * 2 + ["happy"] * 6
    assert follows(STAMPS, truth, ["sad", "sad", "sad", "happy", "sad", "happy", "happy", "happy"]) == 1.5
    assert follows(STAMPS, truth, truth) == 0.0
    assert follows(STAMPS, truth, ["sad"] * 8) == math.inf
    assert math.isnan(follows(STAMPS, ["sad"] * 8, ["sad"] * 8))


def test_accuracy_is_of_the_frames_whose_expression_is_known():
    assert accuracy(["sad", "", "happy"], ["sad", "fear", "sad"]) == 0.5
    assert one([{1: "sad"}, {}, {1: "sad", 2: "fear"}]) == ["sad", "", ""]


@pytest.fixture(scope="module")
def pipelines():
    """The default one, and one without smoothing."""
    try:
        smoothed = Pipeline(PipelineConfig(budget_ms=0.0))
        unsmoothed = Pipeline(PipelineConfig(budget_ms=0.0, smoothing_time_constant_s=0.0))
    except ModelError as error:
        pytest.skip(str(error))
    with smoothed, unsmoothed:
        yield smoothed, unsmoothed


def row(pipelines, name: str, frames) -> Row:
    try:
        return measured(name, frames, *pipelines)
    except ModelError as error:
        pytest.skip(str(error))


def test_labels_of_faces_between_two_expressions_change_ten_times_less_often(pipelines):
    between = row(pipelines, "between", held(*BETWEEN, seed=0))
    assert between.unsmoothed_changes_per_minute > 20
    assert between.changes_per_minute <= between.unsmoothed_changes_per_minute / 10


@pytest.mark.parametrize("side", [None, FAR_PX], ids=["near", "far"])
def test_a_label_follows_a_change_within_half_a_second_and_no_less_is_right(pipelines, side):
    smile = row(pipelines, "smile", spliced("clip_smile", 1.5, 0, side, times=2))
    assert smile.followed_after_s <= 0.5
    assert smile.accuracy >= smile.unsmoothed_accuracy - 0.01
