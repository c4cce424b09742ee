"""Motion: who walks is expected farther on, who is hidden slows down; a doubtful place changes no speed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.perception.motion import DAMPING_TIME_CONSTANT_S, Motion

START = 1_800_000_000.0


def box(x: float, y: float = 0.0, side: float = 100.0) -> np.ndarray:
    return np.array([x, y, x + side, y + side])


def walked(speed: float, rate: float = 30.0, seconds: float = 2.0) -> tuple:
    motion, stamp = Motion(box(0.0), START), START
    for frame in range(1, round(rate * seconds) + 1):
        stamp = START + frame / rate
        motion.seen(box(speed * (stamp - START)), stamp)
    return motion, stamp


@given(speed=st.floats(-500, 500), rate=st.sampled_from([10.0, 15.0, 30.0, 60.0, 120.0]))
def test_who_walks_evenly_is_expected_where_they_will_be_in_the_next_frame(speed, rate):
    motion, stamp = walked(speed, rate)
    expected = motion.expected(stamp + 1 / rate)
    travelled = speed * (stamp + 1 / rate - START)
    np.testing.assert_allclose(expected, box(travelled), atol=1.0 + abs(speed) / rate * 0.1)


def test_who_is_out_of_sight_is_expected_no_farther_than_the_damping_lets_them_go():
    motion, stamp = walked(200.0)
    at = motion.expected(stamp)[0]
    half, long = motion.expected(stamp + 0.3)[0] - at, motion.expected(stamp + 60.0)[0] - at
    assert 40 < half < 60  # of 60 px
    assert long == pytest.approx(200.0 * DAMPING_TIME_CONSTANT_S, rel=0.01)


def test_a_place_that_is_not_sure_is_taken_but_changes_no_velocity():
    motion, stamp = walked(100.0)
    motion.seen(box(500.0), stamp + 0.033, sure=False)
    after = motion.expected(stamp + 0.066)
    assert after[0] == pytest.approx(503.2, abs=0.5)


def test_time_that_stands_still_or_jumps_back_moves_nobody():
    motion, stamp = walked(100.0)
    here = np.array(motion.expected(stamp))
    np.testing.assert_array_equal(motion.expected(stamp - 3600.0), here)
    motion.seen(here + 50.0, stamp)
    np.testing.assert_allclose(motion.expected(stamp), here + 50.0)
