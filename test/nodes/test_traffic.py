"""What became of a camera's images: the figures are of one window, so that they can be compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="nodes/ belongs to ROS 2")

from lightfer_ros.nodes.traffic import Flow, InfoStamps, Traffic

EVENTS = st.lists(
    st.tuples(st.floats(0.0, 2.0), st.sampled_from(["image", "loss", "look"]), st.integers(0, 40)),
    max_size=60,
)


@given(EVENTS)
def test_published_is_never_below_seen_nor_lost_above_what_is_missing(events):
    traffic, now = Traffic(), 100.0
    for pause, kind, count in events:
        now += pause
        if kind == "image":
            traffic.see(now, missed=count)
        elif kind == "loss":
            traffic.lose(count)
        flow = traffic.per_second(now)
        assert 0.0 <= flow.seen <= flow.published
        assert 0.0 <= flow.lost <= flow.published - flow.seen + 1e-9
        assert traffic.published == traffic.seen + traffic.overwritten + traffic.lost


@pytest.mark.parametrize("loss_is_told", ["before the image", "after the image"])
def test_of_a_steady_camera_every_rate_is_right_wherever_the_window_begins(loss_is_told):
    """30 Hz, of which every third image arrives."""
    traffic = Traffic(window_s=5.0)
    for n in range(200):
        now = 100.0 + 0.1 * n
        if loss_is_told == "before the image":
            traffic.lose(2)
        traffic.see(now, missed=2)
        if loss_is_told == "after the image":
            traffic.lose(2)
        if n:
            flow = traffic.per_second(now)
            assert (flow.published, flow.seen, flow.lost) == pytest.approx((30.0, 10.0, 20.0))
    assert (traffic.published, traffic.seen, traffic.lost, traffic.overwritten) == (600, 200, 400, 0)


def test_images_that_get_lost_count_before_the_next_one_arrives():
    traffic = Traffic()
    traffic.see(10.0)
    traffic.lose(30)
    assert traffic.per_second(11.0) == Flow(published=30.0, seen=0.0, lost=30.0)
    traffic.see(11.0, missed=30)
    assert traffic.per_second(11.0) == Flow(published=31.0, seen=1.0, lost=30.0)


def test_an_image_that_a_newer_one_replaced_is_missed_but_not_lost():
    traffic = Traffic()
    traffic.see(10.0)
    traffic.see(11.0, missed=9)
    assert traffic.per_second(11.0) == Flow(published=10.0, seen=1.0, lost=0.0)
    assert traffic.overwritten == 9


def test_rates_end_with_the_window_and_begin_anew_when_the_clock_jumps_back():
    traffic = Traffic(window_s=5.0)
    for n in range(10):
        traffic.see(1000.0 + n, missed=1)
    assert traffic.per_second(1015.0) == Flow()
    assert traffic.per_second(5.0) == Flow()
    traffic.see(5.0)
    traffic.see(5.5)
    assert traffic.per_second(6.0) == Flow(published=1.0, seen=1.0, lost=0.0)
    assert traffic.published == 22


@pytest.mark.parametrize("info_comes", ["before its image", "after its image"])
def test_camera_infos_tell_of_images_that_did_not_come(info_comes):
    stamps = InfoStamps()
    missing = []
    for n in range(30):
        if info_comes == "before its image":
            stamps.info(0.1 * n)
        if n % 3 == 0:
            missing.append(stamps.image(0.1 * n))
        if info_comes == "after its image":
            stamps.info(0.1 * n)
    assert missing == [0] + [2] * 9


def test_camera_infos_with_stamps_of_their_own_tell_nothing():
    stamps = InfoStamps()
    missing = []
    for n in range(30):
        stamps.info(0.1 * n + 0.05)
        missing.append(stamps.image(0.1 * n))
    assert missing == [0] * 30


def test_a_bag_that_is_played_again_misses_nothing():
    stamps = InfoStamps()
    for _ in range(3):
        for n in range(10):
            stamps.info(float(n))
            assert stamps.image(float(n)) == 0
