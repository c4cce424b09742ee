"""Small steps back in time are made good; jumps are passed on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.perception.steady_clock import LONGEST_STEP_S, TICK_S, SteadyClock


def times(*stamps):
    clock = SteadyClock()
    return [clock.at(stamp) for stamp in stamps]


def test_rising_stamps_are_the_time():
    assert times(5.0, 5.1, 5.3, 86405.0) == [5.0, 5.1, 5.3, 86405.0]


def test_a_clock_that_is_set_back_a_little_goes_on_from_where_it_was():
    assert times(5.0, 4.7, 4.8) == pytest.approx([5.0, 5.0 + TICK_S, 5.1 + TICK_S])


def test_two_frames_in_the_wrong_order_are_a_tick_apart():
    assert times(5.0, 5.066, 5.033)[1:] == pytest.approx([5.066, 5.066 + TICK_S])


def test_time_that_stands_still_stands_still():
    assert times(0.0, 0.0, 0.0) == [0.0, 0.0, 0.0]


def test_a_jump_back_is_passed_on_and_what_was_made_good_forgotten():
    assert times(5000.0, 4999.8, 1000.0, 1000.1) == pytest.approx([5000.0, 5000.0 + TICK_S, 1000.0, 1000.1])


@given(st.lists(st.floats(0, 1e6), min_size=2))
def test_time_never_goes_back_by_less_than_a_jump(stamps):
    found = times(*stamps)
    for before, after in zip(found, found[1:]):
        assert after >= before or before - after > LONGEST_STEP_S / 2
