"""Who is who in a frame: who was known keeps the track_id, others come while there is room, some go."""

import numpy as np
import pytest

from lightfer_ros.perception.appearance import patches
from lightfer_ros.perception.association import STAYING, Association
from lightfer_ros.perception.confirmation import Known
from lightfer_ros.perception.faces import DETECTED, Faces
from lightfer_ros.perception.following import Follower
from lightfer_ros.perception.landmarks import LandmarkPredictor
from lightfer_ros.perception.misses import MOST_MISSES
from lightfer_ros.perception.stages import StageTimes
from lightfer_ros.perception.tracking import Tracker

THRESHOLD = 0.75
GREY = np.random.default_rng(0).integers(0, 255, (480, 640), np.uint8)
LEFT, RIGHT = (100, 100, 200, 200), (400, 100, 500, 200)


class SameInEveryBox(LandmarkPredictor):
    """Landmarks at the same places of every box."""

    name = "same"

    def __init__(self):
        self._places = np.random.default_rng(1).uniform(0.1, 0.9, (68, 2)).astype(np.float32)

    def predict(self, grey, boxes, before=None):
        corner, side = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        return (corner + side * self._places).astype(np.float32)


class Room:
    """Frames of one picture, a thirtieth of a second apart, in which people are detected."""

    def __init__(self, most=10):
        self._most, self._stamp, self._faces = most, 0.0, Faces.empty()
        predictor = SameInEveryBox()
        self._association = Association(Tracker(2.0), Follower(predictor), predictor)

    @property
    def half_hidden(self):
        """Who of those in view is."""
        return self._association.half_hidden(self._faces.track_id).tolist()

    def pause(self, seconds):
        """So long no picture comes; then nobody is followed."""
        self._stamp, self._faces = self._stamp + seconds, Faces.empty()

    def seen(self, *boxes, confidence=0.95, alike=1.0, looked=True):
        """Who is in view when the detector has seen just these; alike: all who were, to themselves."""
        n, self._stamp = len(self._faces), self._stamp + 1 / 30
        known = Known(
            self._faces,
            patches(GREY, self._faces.landmarks),
            np.full(n, alike),
            np.ones(n, bool),
            np.zeros(n, bool),
        )
        detected = Faces(
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            confidence=np.full(len(boxes), confidence),
            state=np.full(len(boxes), DETECTED),
        )
        self._faces = self._association.identified(
            GREY, known, detected, np.full(n, looked), THRESHOLD, self._most, self._stamp, StageTimes()
        )
        return self._faces.track_id.tolist()


def larger(box, factor):
    x1, y1, x2, _ = box
    side = (x2 - x1) * factor
    return (x1, y1, x1 + side, y1 + side)


def test_who_is_seen_again_keeps_the_track_id_and_a_stranger_has_the_next():
    room = Room()
    assert room.seen(LEFT) == [1]
    assert room.seen(RIGHT, LEFT) == [1, 2]


def test_who_is_not_looked_for_stays_and_who_is_missed_too_often_goes():
    room = Room()
    room.seen(LEFT)
    room.seen(LEFT)
    assert all(room.seen(looked=False) == [1] for _ in range(2 * MOST_MISSES))
    assert [room.seen() for _ in range(MOST_MISSES)] == [[1]] * (MOST_MISSES - 1) + [[]]


def test_who_is_new_has_to_be_seen_a_second_time():
    room = Room()
    assert room.seen(LEFT) == [1] and room.seen() == []


def test_who_does_not_look_like_themselves_and_is_not_seen_goes_at_once():
    room = Room()
    room.seen(LEFT)
    room.seen(LEFT)
    assert room.seen(alike=0.5) == []


@pytest.mark.parametrize(("growth", "ids"), [(0.98 * STAYING, [1]), (1.02 * STAYING, [2])])
def test_where_there_is_no_room_a_newcomer_has_to_be_much_larger(growth, ids):
    room = Room(most=1)
    assert room.seen(LEFT) == [1]
    assert room.seen(LEFT, larger(RIGHT, growth)) == ids


def test_of_strangers_the_largest_come():
    room = Room(most=1)
    room.seen(LEFT, larger(RIGHT, 1.05))
    assert room._faces.boxes[0] == pytest.approx(larger(RIGHT, 1.05))


def test_a_weak_detection_confirms_and_is_nobody_new():
    room = Room()
    room.seen(LEFT)
    assert room.seen(LEFT, RIGHT, confidence=0.9 * THRESHOLD) == [1]


@pytest.mark.parametrize("looked", [True, False])
def test_whom_nobody_doubts_is_where_they_were_followed_to_and_longer_in_view(looked):
    room = Room()
    room.seen(LEFT, RIGHT)
    room.seen(LEFT, RIGHT)
    assert room.seen(looked=looked) == [1, 2]
    assert room._faces.boxes.tolist() == [list(LEFT), list(RIGHT)]
    assert room._faces.time_in_view == pytest.approx([2 / 30, 2 / 30])


def test_where_fewer_may_be_followed_than_are_in_view_the_smallest_go_though_nobody_looked():
    room = Room()
    room.seen(LEFT, larger(RIGHT, 1.05))
    room.seen(LEFT, larger(RIGHT, 1.05))
    room._most = 1
    assert room.seen(looked=False) == [2]


def test_who_was_half_hidden_when_the_pictures_stopped_is_looked_at_anew():
    room = Room()
    for _ in range(3):
        room.seen(LEFT)
    assert room.seen((100, 100, 180, 200), confidence=0.8) == [1] and room.half_hidden == [True]
    room.pause(0.6)
    assert room.seen() == []
    assert room.seen((100, 100, 190, 190), confidence=0.8) == [1] and room.half_hidden == [False]


def test_who_comes_back_has_the_track_id_again():
    room = Room()
    room.seen(LEFT)
    room.seen(LEFT)
    room.seen(alike=0.0)
    assert room.seen(LEFT) == [1]
