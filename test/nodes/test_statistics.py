"""Rates, percentiles and refusals over time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")

from lightfer_ros.nodes.statistics import MOST_REASONS, NEWS_S, SAMPLES, Percentiles, Rate, Refusals


@given(st.floats(1.0, 120.0), st.integers(20, 400))
def test_a_rate_is_that_of_the_events(rate: float, count: int):
    measured = Rate(window_s=5.0)
    for n in range(count):
        measured.add(100.0 + n / rate)
    now = 100.0 + (count - 1) / rate
    assert measured.per_second(now) == pytest.approx(rate, rel=1e-6)
    assert measured.per_second(now + 6.0) == 0.0


def test_a_rate_survives_a_clock_that_jumps_back():
    rate = Rate()
    for n in range(10):
        rate.add(1000.0 + n)
    for n in range(11):
        rate.add(5.0 + 0.1 * n)
    assert rate.per_second(6.0) == pytest.approx(10.0)


def test_percentiles_are_over_the_newest_samples_only():
    samples = Percentiles()
    samples.add({"detect": 1e9})
    for n in range(SAMPLES):
        samples.add({"detect": float(n)})
    assert samples.percentiles("detect", (0, 50, 100)) == pytest.approx([0, (SAMPLES - 1) / 2, SAMPLES - 1])
    assert all(math.isnan(each) for each in samples.percentiles("classify", (50, 99)))


def test_percentiles_are_over_all_samples_while_they_are_few():
    samples = Percentiles()
    for value in (3.0, 1.0, 2.0):
        samples.add({"detect": value, "classify": value})
    samples.add({"detect": 10.0})
    assert samples.percentiles("detect", (50, 100)) == [2.5, 10.0]
    assert samples.percentiles("classify", (50, 100)) == [2.0, 3.0]
    assert list(samples.names) == ["detect", "classify"]


def test_each_reason_is_news_once_and_invented_ones_do_not_pile_up():
    refusals = Refusals()
    assert refusals.add("too large", 1.0) and not refusals.add("too large", 2.0)
    words = (f"reason {chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600))
    news = sum(refusals.add(word, 3.0) for word in words)
    assert news <= MOST_REASONS
    assert len(refusals.counts) <= MOST_REASONS + 1
    assert refusals.total == 602
    assert refusals.last == "reason bx", "the newest is told in full, however it is counted"
    assert refusals.is_news(3.0 + NEWS_S) and not refusals.is_news(3.1 + NEWS_S)


def test_reasons_that_differ_in_numbers_only_are_one():
    refusals = Refusals()
    news = [refusals.add(f"JPEG cut short after {n} bytes of 3.5 kB", 1.0) for n in range(100)]
    assert news == [True] + [False] * 99 and len(refusals.counts) == 1
    assert refusals.last == "JPEG cut short after 99 bytes of 3.5 kB"
