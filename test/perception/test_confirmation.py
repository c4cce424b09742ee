"""Which detection confirms which known face: the same box does; who strayed and is alone is put back."""

import numpy as np
import pytest

from lightfer_ros.perception.confirmation import PART, Known, are_alone, confirm
from lightfer_ros.perception.faces import DETECTED, TRACKED, Faces


def known(*boxes, alike=0.9, alone=True, cut=False):
    n = len(boxes)
    faces = Faces(
        boxes=np.array(boxes, np.float32),
        track_id=np.arange(1, n + 1),
        confidence=np.full(n, 0.9, np.float32),
        state=np.full(n, TRACKED, np.uint8),
    )
    patch = np.zeros((n, 4), np.float32)
    return Known(faces, patch, *(np.full(n, value) for value in (alike, alone, cut)))


def detected(*boxes, confidence=0.9):
    return Faces(
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        confidence=np.full(len(boxes), confidence, np.float32),
        state=np.full(len(boxes), DETECTED, np.uint8),
    )


def confirmed(known, detected, whole=True):
    return confirm(known, detected, np.full(len(detected), whole))


HERE, NEARLY_HERE, ASIDE = (100, 100, 200, 200), (104, 100, 204, 200), (130, 100, 230, 200)


def test_nearly_the_same_box_confirms_and_is_taken_over():
    result = confirmed(known(HERE), detected(NEARLY_HERE))
    assert result.confirmed.all() and result.seen.all() and not len(result.strangers)
    assert result.faces.boxes[0] == pytest.approx(NEARLY_HERE) and result.faces.state[0] == DETECTED
    assert not result.strayed.any()


@pytest.mark.parametrize("whole", [True, False])
def test_a_box_aside_hardly_moves_a_face_that_looks_like_itself(whole):
    result = confirmed(known(HERE, alike=0.9), detected(ASIDE), whole)
    assert result.seen.all() and not result.confirmed.any()
    assert result.faces.boxes[0, 0] == pytest.approx(100 + PART * 30)


def test_who_strayed_from_a_whole_face_is_put_back_when_nobody_else_is_near():
    result = confirmed(known(HERE, alike=0.7), detected(ASIDE))
    assert result.confirmed.all() and result.faces.boxes[0] == pytest.approx(ASIDE)
    assert result.strayed.all()  # box, but not landmarks and looks


@pytest.mark.parametrize(("alone", "whole"), [(False, True), (True, False)])
def test_but_not_when_it_may_be_another_or_a_part(alone, whole):
    result = confirmed(known(HERE, alike=0.7, alone=alone), detected(ASIDE), whole)
    assert result.seen.all() and not result.confirmed.any() and result.whole.all() == whole
    assert result.faces.boxes[0] == pytest.approx(HERE)


@pytest.mark.parametrize("alone", [True, False])
def test_a_face_aside_of_who_looks_like_another_is_a_stranger(alone):
    result = confirmed(known(HERE, alike=0.1, alone=alone), detected(ASIDE))
    assert not result.seen.any() and len(result.strangers) == 1


def test_a_face_that_is_seen_where_the_picture_was_cut_is_a_stranger_in_the_place_of_the_one_before():
    result = confirmed(known(HERE, alike=-1.0, cut=True), detected(NEARLY_HERE))
    assert result.replaced.all() and not result.confirmed.any() and len(result.strangers) == 1
    assert not confirmed(known(HERE, alike=-1.0, cut=True), detected()).replaced.any()


def test_each_detection_confirms_the_face_that_it_overlaps_best():
    other = (140, 100, 240, 200)
    result = confirmed(known(HERE, other, alone=False), detected(other, HERE))
    assert result.confirmed.all() and result.faces.boxes == pytest.approx(np.array([HERE, other]))


def test_without_detections_nothing_is_seen():
    result = confirmed(known(HERE), detected())
    assert not result.seen.any() and not result.confirmed.any() and not len(result.strangers)


def test_who_is_alone_overlaps_nobody_but_themselves():
    here, there = np.array([HERE], float), np.array([(300, 100, 400, 200)], float)
    both, twice = np.concatenate([here, there]), np.concatenate([here, here])
    assert are_alone(here, here).tolist() == [True]
    assert are_alone(both, both).tolist() == [True, True]
    assert are_alone(both, np.concatenate([twice, there])).tolist() == [False, True]
    assert are_alone(here[:0], here[:0]).tolist() == []
