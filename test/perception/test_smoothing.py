"""Smoothing: a first-order low-pass in seconds, whatever the frame times; each track has its own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightfer_ros.perception.smoothing import LEAST_TRUST, PLAIN, STEEPNESS, Smoother

START = 1_800_000_000.0
HAPPY, SAD = ((PLAIN - 1 / 12) * np.eye(7, dtype=np.float32) + 1 / 12)[[3, 4]]  # half sure
ONE = np.array([1])


def one(smoother: Smoother, probabilities: np.ndarray, stamp: float, track: int = 1) -> np.ndarray:
    return smoother.update(np.array([track]), probabilities[None], stamp)[0]


@given(tau=st.floats(0.01, 10.0), gaps=st.lists(st.floats(0.001, 2.0), min_size=1, max_size=20))
def test_a_step_is_answered_by_one_minus_exp_of_time_whatever_the_frame_times(tau, gaps):
    smoother = Smoother(tau)
    one(smoother, HAPPY, START)
    stamp = START
    for gap in gaps:
        stamp += gap
        answer = one(smoother, SAD, stamp)
        reached = 1.0 - math.exp(-(stamp - START) / tau)
        np.testing.assert_allclose(answer, reached * SAD + (1.0 - reached) * HAPPY, atol=2e-6)


@pytest.mark.parametrize("sure", [0.3, 0.5, 0.8, 1.0])
def test_who_is_sure_is_believed_sooner_and_who_is_not_later_but_in_the_end(sure):
    said = np.full(7, (1 - sure) / 6, np.float32)
    said[4] = sure
    smoother = Smoother(0.3)
    one(smoother, HAPPY, START)
    trust = max((sure / PLAIN) ** STEEPNESS, LEAST_TRUST)
    old = math.exp(-0.1 * trust / 0.3)
    np.testing.assert_allclose(one(smoother, said, START + 0.1), old * HAPPY + (1 - old) * said, atol=1e-5)
    for frame in range(2, 200):
        last = one(smoother, said, START + 0.1 * frame)
    assert last.argmax() == 4


@given(
    weights=hnp.arrays(np.float32, (12, 7), elements=st.floats(0.0625, 1.0, width=32)),
    tau=st.floats(0.0, 10.0),
)
def test_rows_sum_to_one_forever(weights, tau):
    smoother = Smoother(tau)
    for frame, row in enumerate(weights / weights.sum(axis=1, keepdims=True)):
        smoothed = one(smoother, row, START + 0.033 * frame)
        assert smoothed.sum() == pytest.approx(1.0, abs=1e-5) and (smoothed >= 0).all()


def test_a_time_constant_of_nought_passes_everything_through():
    smoother = Smoother(0.0)
    for frame, row in enumerate((HAPPY, SAD, HAPPY)):
        np.testing.assert_array_equal(one(smoother, row, START + frame / 30), row)


def test_tracks_do_not_mix_and_their_order_does_not_matter():
    smoother = Smoother(0.3)
    smoother.update(np.array([1, 2]), np.stack([HAPPY, SAD]), START)
    answer = smoother.update(np.array([2, 1]), np.stack([SAD, HAPPY]), START + 0.1)
    np.testing.assert_array_equal(answer, np.stack([SAD, HAPPY]))


@pytest.mark.parametrize("stamp", [START, START - 3600.0], ids=["stands still", "jumps back"])
def test_where_time_stands_still_or_jumps_back_the_newest_expression_is_told(stamp):
    smoother = Smoother(0.3)
    one(smoother, HAPPY, START)
    np.testing.assert_array_equal(one(smoother, SAD, stamp), SAD)


def test_a_forgotten_track_starts_anew_and_the_others_go_on():
    smoother = Smoother(0.3)
    smoother.update(np.array([1, 2]), np.stack([HAPPY, HAPPY]), START)
    smoother.keep([2])
    first, second = smoother.update(np.array([1, 2]), np.stack([SAD, SAD]), START + 0.1)
    np.testing.assert_array_equal(first, SAD)
    old = math.exp(-0.1 / 0.3)
    np.testing.assert_allclose(second, old * HAPPY + (1 - old) * SAD, atol=1e-5)


def test_what_is_given_is_not_changed_and_nobody_is_no_problem():
    given_rows = np.stack([SAD])
    smoother = Smoother(0.3)
    smoother.update(ONE, np.stack([HAPPY]), START)
    answer = smoother.update(ONE, given_rows, START + 0.1)
    answer[:] = 0.0
    np.testing.assert_array_equal(given_rows, [SAD])
    assert one(smoother, SAD, START + 0.2).sum() == pytest.approx(1.0)
    assert smoother.update(np.empty(0, np.int64), np.empty((0, 7), np.float32), START + 1).shape == (0, 7)
