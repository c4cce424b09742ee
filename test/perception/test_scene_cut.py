"""Cuts: another scene is noticed at once; motion, light and a lid before the lens are no cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.perception.scene_cut import CutDetector


@pytest.fixture(scope="module")
def group() -> np.ndarray:
    return cv2.cvtColor(photo("photo_multi_face"), cv2.COLOR_BGR2GRAY)


@pytest.fixture(scope="module")
def other() -> np.ndarray:
    return cv2.cvtColor(placed(photo("photo_single_face"), 0, 0), cv2.COLOR_BGR2GRAY)


def view(picture: np.ndarray, left: int = 0) -> np.ndarray:
    return picture[100:580, left : left + 640]


def test_another_scene_is_a_cut_and_the_same_one_after_it_is_not(group, other):
    cuts = CutDetector()
    assert [cuts.is_cut(frame) for frame in (view(group), other, other, view(group))] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("pan", [5, 20, 40])
def test_a_camera_that_turns_fast_does_not_cut(group, pan):
    cuts = CutDetector()
    assert not any(cuts.is_cut(view(group, left)) for left in range(0, 360, pan))


def test_lights_that_go_out_and_on_do_not_cut(group):
    cuts = CutDetector()
    bright = view(group)
    dim = cv2.convertScaleAbs(bright, alpha=0.2, beta=30)
    assert not any(cuts.is_cut(frame) for frame in (bright, dim, bright, np.zeros_like(bright), bright))


def test_a_lid_before_the_lens_hides_a_cut_only_as_long_as_it_is_there(group, other):
    cuts = CutDetector()
    assert [cuts.is_cut(frame) for frame in (view(group), np.full_like(other, 40), other)] == [
        False,
        False,
        True,
    ]


def test_who_walks_through_the_picture_does_not_cut(group):
    person = resized(photo("photo_single_face"), 0.8)
    for left in range(-300, 640, 30):
        frame = view(group).copy()
        cuts = CutDetector()
        cuts.is_cut(frame)
        part = cv2.cvtColor(placed(person, left, 40), cv2.COLOR_BGR2GRAY)
        shown = np.where(part != 128, part, frame)
        assert not cuts.is_cut(np.ascontiguousarray(shown)), left


def test_after_a_reset_nothing_is_compared(group, other):
    cuts = CutDetector()
    cuts.is_cut(view(group))
    cuts.reset()
    assert not cuts.is_cut(other)
