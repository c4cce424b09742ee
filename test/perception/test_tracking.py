"""Tracking: a face keeps its track_id while in view and for the timeout after; nobody gets it again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.tracking import Tracker, box_iou

SIDE = 100.0
NOBODY = np.empty(0, np.int64)
START = 1_800_000_000.0
"""Stamps are seconds since 1970: a double holds them to a quarter of a microsecond."""


def at(*lefts, top=0.0) -> Faces:
    """Faces of one size, side by side."""
    return Faces(boxes=[[left, top, left + SIDE, top + SIDE] for left in lefts])


def seen(tracker: Tracker, faces: Faces, stamp: float) -> Faces:
    """One frame: who these are, and that they are here now."""
    tracker.forget(stamp)
    carried = faces.track_id > 0
    known = tracker.identify(faces[~carried], faces.track_id.tolist(), stamp)
    track_ids = faces.track_id.copy()
    track_ids[~carried] = known.track_id
    return tracker.update(faces.replace(track_id=track_ids), stamp)


def ids(faces: Faces) -> list:
    return faces.track_id.tolist()


def test_a_moving_face_keeps_its_id_and_its_time_in_view_grows():
    tracker = Tracker(1.0)
    for frame in range(30):
        face = seen(tracker, at(12.0 * frame), START + frame / 10)
        assert ids(face) == [1]
        assert face.time_in_view[0] == pytest.approx(frame / 10, abs=1e-4)


def test_every_face_keeps_its_own_id_in_whatever_order_they_are_found():
    tracker = Tracker(1.0)
    assert ids(seen(tracker, at(0, 150, 300), START)) == [1, 2, 3]
    assert ids(seen(tracker, at(310, 10, 160), START + 0.1)) == [3, 1, 2]
    assert ids(seen(tracker, at(165, 500), START + 0.2)) == [2, 4]


@given(timeout=st.floats(0.0, 60.0), away=st.floats(0.01, 120.0))
def test_a_face_out_of_sight_keeps_its_id_for_the_timeout_and_is_new_after_it(timeout, away):
    tracker = Tracker(timeout)
    seen(tracker, at(0), START)
    tracker.update(Faces.empty(), START + 0.005)
    back = START + away
    assert ids(seen(tracker, at(0), back)) == ([1] if back - START <= timeout else [2])


@given(rate=st.floats(0.6, 240.0), timeout=st.floats(0.0, 60.0))
def test_a_face_in_every_frame_keeps_its_id_at_any_frame_rate_and_timeout(rate, timeout):
    tracker = Tracker(timeout)
    assert {ids(seen(tracker, at(0), START + frame / rate))[0] for frame in range(10)} == {1}


def test_of_two_faces_near_one_track_the_nearer_has_its_id_and_the_other_is_new():
    tracker = Tracker(1.0)
    seen(tracker, at(0), START)
    assert ids(seen(tracker, at(35, 5), START + 0.1)) == [2, 1]


def test_two_people_who_pass_each_other_keep_their_ids():
    tracker = Tracker(1.0)
    for step in range(21):
        left, right = 15.0 * step, 300.0 - 15.0 * step
        faces = Faces.merge([at(right, top=50.0), at(left)])
        assert ids(seen(tracker, faces, START + step / 10)) == [1, 2]


@pytest.mark.parametrize(
    "away, sides, known", [(0.3, 1.2, True), (0.1, 1.2, False), (1.6, 2.5, True), (1.6, 3.0, False)]
)
def test_the_longer_somebody_was_away_the_farther_off_they_may_come_back_up_to_a_limit(away, sides, known):
    tracker = Tracker(2.0)
    first = seen(tracker, at(0.0), START)
    seen(tracker, Faces.empty(), START + 0.01)
    back = seen(tracker, at(sides * SIDE), START + away)
    assert (ids(back) == ids(first)) is known


def test_an_id_that_a_face_carries_is_not_given_to_another():
    tracker = Tracker(1.0)
    seen(tracker, at(0), START)
    followed = at(60).replace(track_id=np.array([1]))  # nearer to the newcomer's box than to its own
    assert ids(seen(tracker, Faces.merge([at(0), followed]), START + 0.1)) == [2, 1]


@pytest.mark.parametrize("jump", [-3600.0, -0.001, 86400.0, 2.5])
def test_when_time_jumps_everybody_is_new_and_the_times_are_right_again(jump):
    tracker = Tracker(1.0)
    seen(tracker, at(0, 150), START)
    after = seen(tracker, at(0, 150), START + jump)
    assert ids(after) == [3, 4] and after.time_in_view.tolist() == [0.0, 0.0]
    assert ids(seen(tracker, at(0, 150), START + jump + 0.1)) == [3, 4]


def test_when_time_stands_still_people_keep_their_ids_and_those_who_left_are_forgotten():
    tracker = Tracker(1.0)
    for left in range(0, 3000, 150):
        assert ids(seen(tracker, at(left), 0.0)) == ids(seen(tracker, at(left + 10), 0.0))
        assert len(tracker.track_ids) == 1


def test_reset_forgets_everybody_and_gives_no_id_twice():
    tracker = Tracker(1.0)
    seen(tracker, at(0, 150), START)
    tracker.reset()
    assert tracker.track_ids == []
    assert ids(seen(tracker, at(0, 150), START + 0.1)) == [3, 4]


BOXES = st.lists(st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 4), max_size=4)


@given(one=BOXES, other=BOXES)
def test_overlap_is_a_share_for_any_boxes_turned_inside_out_too(one, other):
    one, other = np.reshape(one, (-1, 4)), np.reshape(other, (-1, 4))
    overlap = box_iou(one, other)
    assert overlap.shape == (len(one), len(other))
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()
    np.testing.assert_allclose(overlap, box_iou(other, one).T)


def test_overlap_of_boxes_whose_overlap_is_known():
    boxes = np.array([[0, 0, 2, 2], [1, 0, 3, 2], [2, 0, 4, 2], [0, 0, 2, 4]], np.float32)
    np.testing.assert_allclose(box_iou(boxes[:1], boxes)[0], [1, 1 / 3, 0, 1 / 2])


def test_who_became_an_eighth_smaller_within_a_second_has_shrunk_and_a_stranger_has_not():
    tracker = Tracker(1.0)
    face = seen(tracker, at(0.0), START)
    tracker.learn(face, np.ones((1, 4), np.float32), START)
    smaller = face.replace(boxes=np.array([[0, 0, 80, 80]], np.float32))
    faces = Faces.merge([face, smaller, at(300.0)])
    assert tracker.shrunk(faces, NOBODY).tolist() == [False, True, False]


def test_who_has_shrunk_is_whole_again_when_nearly_as_large_as_before():
    tracker = Tracker(1.0)
    face = seen(tracker, at(0.0), START)
    tracker.learn(face, np.ones((1, 4), np.float32), START)
    for side, again in ((90, True), (95, False)):
        trembling = face.replace(boxes=np.array([[0, 0, side, side]], np.float32))
        assert tracker.shrunk(trembling, NOBODY).tolist() == [False]
        assert tracker.shrunk(trembling, face.track_id).tolist() == [again]


@pytest.mark.parametrize("rate", [5, 30, 120])
def test_how_large_a_face_has_been_is_a_matter_of_time_and_not_of_how_often_one_looks(rate):
    tracker, patch = Tracker(1.0), np.ones((1, 4), np.float32)
    face = seen(tracker, at(0.0), START)
    tracker.learn(face, patch, START)
    smaller = face.replace(boxes=np.array([[0, 0, 75, 75]], np.float32))
    shrunk = []
    for frame in range(1, 3 * rate + 1):
        shrunk.append(tracker.shrunk(smaller, NOBODY).item())
        tracker.learn(smaller, patch, START + frame / rate)
    assert all(shrunk[: round(0.6 * rate)]) and not any(shrunk[round(1.6 * rate) :])
