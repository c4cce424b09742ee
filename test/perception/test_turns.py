"""Turns: everybody often enough, every frame alike, and with a small budget faces wait, none forever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.perception.turns import ROUNDING, Turns


def played(
    count: int,
    rate: float,
    frames: int,
    seconds_left: float = float("inf"),
    cost: float = 0.0,
    tremble: float = 0.0,
) -> tuple:
    """Ages of all faces at the end of every frame, and how many had their turn in each.

    tremble: how far a stamp is from its place, in times between frames, to either side.
    """
    turns, last, before = Turns(), np.full(count, -np.inf), -1 / rate
    late = np.random.default_rng(0).uniform(-tremble, tremble, frames)
    ages, loads = [], []
    for frame in range(frames):
        stamp = (frame + late[frame]) / rate
        chosen = turns.choose(stamp - last, stamp - before, 0.1, seconds_left)
        before = stamp
        turns.spent(len(chosen), cost * len(chosen))
        last[chosen] = stamp
        ages.append(stamp - last)
        loads.append(len(chosen))
    return np.array(ages), np.array(loads)


@given(count=st.integers(1, 20), rate=st.floats(5, 120))
def test_between_two_turns_of_a_face_passes_a_tenth_of_a_second_at_most_or_one_frame(count, rate):
    ages, _ = played(count, rate, 60)
    assert ages.max() + 1 / rate <= max(0.1 * ROUNDING, 1 / rate) + 1e-9


@pytest.mark.parametrize("tremble", [0.0, 0.15])
@pytest.mark.parametrize("count", [1, 2, 6, 7])
@pytest.mark.parametrize(("rate", "least", "most"), [(25, 12, 13), (30, 11.9, 13.5), (60, 11.9, 13)])
def test_every_face_has_about_twelve_turns_a_second(rate, least, most, count, tremble):
    ages, _ = played(count, rate, 20 * rate, tremble=tremble)
    turns_a_second = (ages == 0).sum(axis=0) / 20
    assert (turns_a_second >= least).all() and (turns_a_second <= most).all()


@pytest.mark.parametrize("rate", [25, 30, 60])
@pytest.mark.parametrize("count", [2, 3, 6, 7])
def test_after_the_first_frame_the_load_is_even_and_no_frame_bears_everybody(count, rate):
    _, loads = played(count, rate, 60)
    assert loads[0] == count  # who is new does not wait
    assert np.ptp(loads[1:]) <= 1 and loads[1:].max() < count


def test_a_camera_that_slows_down_finds_nobody_waiting():
    turns, last, stamp = Turns(), np.full(3, -np.inf), 0.0
    for gap in [1 / 30] * 30 + [1 / 8] * 8:
        stamp += gap
        chosen = turns.choose(stamp - last, gap, 0.1)
        last[chosen] = stamp
        assert (stamp - last <= 0.1).all()


def test_after_a_pause_everybody_has_one_turn_and_then_frames_bear_what_they_bore():
    turns, last, stamp, loads = Turns(), np.full(6, -np.inf), 0.0, []
    for gap in [1 / 30] * 30 + [3.0] + [1 / 30] * 10:
        stamp += gap
        chosen = turns.choose(stamp - last, gap, 0.1)
        last[chosen] = stamp
        loads.append(len(chosen))
    assert loads[30] == 6 and max(loads[1:30]) == 3
    assert max(loads[31:]) <= 4 and sum(loads[31:]) <= 30


@pytest.mark.parametrize(("left", "at_once"), [(0.010, 5), (0.0, 1), (-1.0, 1)])
def test_a_small_budget_is_kept_and_nobody_is_forgotten(left, at_once):
    ages, loads = played(20, 30.0, 200, left, cost=0.002)
    assert set(loads[1:]) == {at_once}
    assert ages[60:].max() <= 20 / at_once / 30 + 1e-9


def test_where_time_stands_still_everybody_has_a_turn_in_every_frame():
    assert Turns().choose(np.zeros(3), 0.0, 0.1).tolist() == [0, 1, 2]


def test_nobody_has_no_turn():
    assert Turns().choose(np.empty(0), 0.033, 0.1).tolist() == []


def urgent(ages: list, seconds_left: float, cost: float = 0.001) -> list:
    turns = Turns()
    turns.spent(1, cost)
    return turns.urgent(np.array(ages), 0.1, seconds_left).tolist()


@pytest.mark.parametrize(("milliseconds", "count"), [(-5.0, 0), (3.9, 0), (4.1, 4), (np.inf, 4)])
def test_where_there_is_no_time_for_everybody_all_wait_who_can(milliseconds, count):
    assert sum(urgent([0.06, 0.1, 0.08, 0.1], milliseconds / 1000)) == count


def test_where_time_stands_still_nobody_waits():
    assert urgent([0.0, 0.0], -1.0) == [True, True]


def test_who_is_new_or_would_be_told_of_too_late_does_not_wait():
    assert urgent([np.inf, 0.06, 0.2, 0.08], -1.0) == [True, False, True, False]


def test_before_it_is_known_what_a_face_costs_nobody_waits_for_want_of_time():
    assert Turns().urgent(np.array([0.05, 0.05]), 0.1, 0.001).all()
