"""Before a plain wall people are all there is to compare, and they move: no cut, and nobody is new."""

from __future__ import annotations

from typing import Iterable, List, Optional

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.perception.scene_cut import STAYS, CutDetector, share_that_stays

START = 1_800_000_000.0
SIDE, FACE_PX = 120, 210
"""Width of the face's box, here and in the photo."""


class Wall:
    """A wall that gets brighter from left to right, by `slope` either way, and a camera's noise."""

    def __init__(self, level: float = 170.0, slope: float = 4.0) -> None:
        self._wall = np.tile(level + np.linspace(-slope, slope, 640)[None, :, None], (480, 1, 3))
        self._head = resized(photo("photo_single_face"), SIDE / FACE_PX)
        self._random = np.random.default_rng(0)

    def __call__(self, left: Optional[int] = None, darker: float = 0.0) -> np.ndarray:
        """uint8 [480, 640, 3] with the face's box at `left`, or with nobody."""
        picture = self._wall.copy()
        if left is not None:
            shape, centre = np.zeros((480, 640, 3), np.uint8), (left + SIDE // 2, 170)
            cv2.ellipse(shape, centre, (SIDE * 5 // 8, SIDE * 5 // 6), 0, 0, 360, (1, 1, 1), -1)
            head = placed(self._head, left - 170 * SIDE // FACE_PX, 170 - 275 * SIDE // FACE_PX)
            picture = np.where(shape > 0, head, picture)
        noise = self._random.normal(-darker, 2.0, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)


def ids(pipeline: Pipeline, pictures: Iterable[np.ndarray], rate: float) -> List[List[int]]:
    """Who is told of in each picture; the first of all is 1."""
    told = [pipeline.process(p, START + n / rate).track_id for n, p in enumerate(pictures)]
    return [(track_id - told[0][0] + 1).tolist() for track_id in told]


def cuts(*pictures: np.ndarray) -> List[bool]:
    """Whether each picture after the first is a cut."""
    detector = CutDetector()
    return [detector.is_cut(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)) for picture in pictures][1:]


@pytest.mark.parametrize("slope", [2.0, 4.0, 15.0])
def test_a_face_that_moves_fast_before_a_wall_keeps_its_id(pipeline, slope):
    wall = Wall(slope=slope)
    assert ids(pipeline, [wall(left) for left in range(40, 520, 60)], 10.0) == [[1]] * 8


def test_a_face_hidden_for_half_a_second_before_a_wall_keeps_its_id(pipeline):
    wall = Wall()
    told = ids(pipeline, [wall(260 if not 12 <= n < 27 else None) for n in range(40)], 30.0)
    assert told[11] == [1] and told[15:27] == [[]] * 12 and told[28:] == [[1]] * 12


def test_a_face_that_leaves_the_picture_of_a_wall_and_is_back_within_a_second_keeps_its_id(pipeline):
    wall = Wall()
    away = list(range(260, -200, -15))
    told = ids(pipeline, [wall(left) for left in [260] * 10 + away + away[::-1] + [260] * 6], 30.0)
    assert told[9] == [1] and [] in told and told[-6:] == [[1]] * 6


def test_who_leaves_and_comes_back_fast_before_a_wall_does_not_cut():
    wall = Wall()
    away = list(range(260, -200, -30))
    assert not any(cuts(*(wall(left) for left in away + away[::-1])))


@pytest.mark.parametrize("slope", [4.0, 15.0])
def test_who_comes_goes_and_jumps_before_a_wall_does_not_cut_though_the_camera_adapts(slope):
    wall = Wall(slope=slope)
    assert not any(cuts(wall(100), wall(400), wall(), wall(300, darker=8.0), wall(100), wall(), wall(400)))


@pytest.mark.parametrize("level", [40.0, 110.0, 140.0, 200.0])
def test_a_wall_of_another_brightness_with_somebody_elsewhere_is_a_cut(level):
    assert cuts(Wall()(100), Wall(level)(400), Wall()(100)) == [True, True]


@pytest.mark.parametrize("name", ["photo_multi_face", "photo_posed_frontal_1", "photo_no_face"])
def test_between_a_wall_and_another_scene_there_is_a_cut(name):
    scene = cv2.resize(photo(name), (640, 480), interpolation=cv2.INTER_AREA)
    assert cuts(Wall()(260), scene, Wall()(260)) == [True, True]


def test_black_bars_that_stay_do_not_hide_a_cut():
    first, second = (cv2.resize(photo(n), (32, 24)) for n in ("photo_multi_face", "photo_posed_frontal_1"))
    for picture in (first, second):
        picture[:6] = picture[-6:] = 16
    share = share_that_stays(*(picture[..., 1].astype(np.float32) for picture in (first, second)))
    assert share < STAYS / 2


def test_a_cut_from_a_wall_to_another_scene_ends_ids_though_a_face_is_at_the_same_place(pipeline):
    wall, other = Wall(), photo("photo_multi_face")[100:580, :640].copy()
    other[100:240, 250:390] = wall(260)[100:240, 250:390]
    told = ids(pipeline, [wall(260)] * 10 + [other] * 2, 30.0)
    assert told[9] == [1] and len(told[10]) and 1 not in told[10] + told[11]
