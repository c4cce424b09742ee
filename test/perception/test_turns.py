"""Turns: everybody often enough, every frame alike, and with a small budget faces wait, none forever."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.perception.turns import Turns


def played(
    count: int, rate: float, frames: int, seconds_left: float = float("inf"), cost: float = 0.0
) -> tuple:
    """Ages of all faces at the end of every frame, and how many had their turn in each."""
    turns, last = Turns(), np.full(count, -np.inf)
    ages, loads = [], []
    for frame in range(frames):
        stamp = frame / rate
        chosen = turns.choose(stamp - last, 1 / rate, 0.1, seconds_left)
        turns.spent(len(chosen), cost * len(chosen))
        last[chosen] = stamp
        ages.append(stamp - last)
        loads.append(len(chosen))
    return np.array(ages), np.array(loads)


@given(count=st.integers(1, 20), rate=st.floats(5, 120))
def test_between_two_turns_of_a_face_passes_a_tenth_of_a_second_at_most_or_one_frame(count, rate):
    ages, _ = played(count, rate, 60)
    assert ages.max() + 1 / rate <= max(0.1, 1 / rate) + 1e-9


def test_after_the_first_frames_the_load_is_even():
    _, loads = played(6, 30.0, 60)
    assert loads[0] == 6  # who is new does not wait
    assert set(loads[4:]) == {3}


@pytest.mark.parametrize(("left", "at_once"), [(0.010, 5), (0.0, 1), (-1.0, 1)])
def test_a_small_budget_is_kept_and_nobody_is_forgotten(left, at_once):
    ages, loads = played(20, 30.0, 200, left, cost=0.002)
    assert set(loads[1:]) == {at_once}
    assert ages[60:].max() <= 20 / at_once / 30 + 1e-9


def test_where_time_stands_still_everybody_has_a_turn_in_every_frame():
    assert Turns().choose(np.zeros(3), 0.0, 0.1).tolist() == [0, 1, 2]


def test_nobody_has_no_turn():
    assert Turns().choose(np.empty(0), 0.033, 0.1).tolist() == []
