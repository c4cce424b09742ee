"""Tracks are counted as the field counts them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightfer_ros.benchmark.tracking_metrics import (
    frames_until_found,
    landmark_nme,
    match_frames,
    measure,
    recall_by_side,
)
from lightfer_ros.benchmark.truth import TrackedBoxes
from lightfer_ros.errors import DataError

pytest.importorskip("scipy.optimize")


def seen(*faces):
    """A frame: (id, left) of boxes 10 pixels wide."""
    ids, lefts = [face for face, _ in faces], [left for _, left in faces]
    return TrackedBoxes(np.array(ids, int), np.array([[x, 0, x + 10, 10] for x in lefts]).reshape(-1, 4))


def video(*frames):
    return [seen(*frame) for frame in frames]


people = st.lists(
    st.lists(st.sampled_from([1, 2, 3]), unique=True).map(lambda ids: [(face, 40 * face) for face in ids]),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)  # a busy machine is no failure
@given(people.filter(any), st.permutations([1, 2, 3]))
def test_perfect_tracking_is_perfect_under_any_names(frames, names):
    truth = video(*frames)
    reported = video(*([(10 * names[face - 1], x) for face, x in frame] for frame in frames))
    result = measure(truth, reported)
    assert result.idf1 == result.mota == result.recall == result.precision == 1.0
    assert result.id_switches == result.fragmentations == 0


@settings(deadline=None)  # a busy machine is no failure
@given(people.filter(any), st.data())
def test_a_face_left_out_costs_one_miss_and_never_a_false_one(frames, data):
    index = data.draw(st.sampled_from([i for i, frame in enumerate(frames) if frame]))
    reported = [list(frame) for frame in frames]
    reported[index].pop()
    result = measure(video(*frames), video(*reported))
    assert result.truths - result.found == 1 and result.found == result.reports and result.id_switches == 0
    assert result.mota == pytest.approx(1 - 1 / result.truths)
    assert result.identified == result.found


@settings(deadline=None)  # a busy machine is no failure
@given(people, people)
def test_no_number_leaves_its_range(truth, reported):
    length = min(len(truth), len(reported))
    result = measure(video(*truth[:length]), video(*reported[:length]))
    assert 0 <= result.identified <= result.found <= min(result.truths, result.reports)
    for share in (result.idf1, result.recall, result.precision):
        assert math.isnan(share) or 0 <= share <= 1
    assert math.isnan(result.mota) or result.mota <= 1


def test_two_who_exchange_their_ids_are_two_switches_and_half_of_each_is_identified():
    before, after = [(1, 0), (2, 50)], [(2, 0), (1, 50)]
    result = measure(video(*[before] * 10), video(*[before] * 5, *[after] * 5))
    assert result.id_switches == 2 and result.recall == 1.0
    assert result.idf1 == 0.5 and result.mota == pytest.approx(1 - 2 / 20)


def test_a_new_id_after_a_gap_is_a_switch_and_the_gap_a_fragmentation():
    here = [(1, 0)]
    result = measure(video(*[here] * 9), video(here, here, here, [], [], *[[(5, 0)]] * 4))
    assert (result.id_switches, result.fragmentations, result.found) == (1, 1, 7)


def test_who_is_out_of_sight_is_not_interrupted():
    here = [(1, 0)]
    result = measure(video(here, [], [], here), video(here, [], [], here))
    assert result.fragmentations == 0 and result.idf1 == 1.0


def test_somebody_never_found_again_is_missed_not_fragmented():
    here = [(1, 0)]
    assert measure(video(here, here, here), video(here, [], [])).fragmentations == 0


def test_who_belonged_together_stays_so_while_a_nearer_box_comes_by():
    # The old partner overlaps by 7/13, the newcomer fully.
    truth = video([(1, 0)], [(1, 0)])
    result = measure(truth, video([(8, 0)], [(8, 3), (9, 0)]))
    assert result.id_switches == 0 and result.found == 2 and result.reports == 3


def test_most_faces_are_found_before_overlaps_are_the_largest():
    # Face 1 overlaps both boxes, face 2 only the first: only crosswise are both found.
    truth = video([(1, 0), (2, 3)])
    (match,) = match_frames(truth, video([(7, 1), (8, -3)]))
    assert match.pairs.tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("left, found", [(3, 1), (4, 0)])  # IoU 7/13 and 6/14
def test_half_of_the_union_must_be_shared(left, found):
    assert measure(video([(1, 0)]), video([(1, left)])).found == found


def test_nobody_there_and_nobody_reported_is_nothing_to_judge():
    result = measure(video([], []), video([], []))
    assert all(math.isnan(value) for value in (result.idf1, result.mota, result.recall, result.precision))


def test_truth_and_report_of_other_lengths_are_refused():
    with pytest.raises(DataError, match="1 frames reported, expected 2"):
        measure(video([], []), video([]))


def test_who_comes_into_view_waits_until_a_report_overlaps_them_for_the_first_time():
    truth = video([(1, 0)], [(1, 0), (2, 90)], [(1, 0), (2, 90)], [(1, 0), (2, 90), (3, 50)], [(2, 90)])
    matches = match_frames(truth, video([(7, 0)], [], [(8, 50)], [(9, 90)], [(9, 90)]))
    assert frames_until_found(truth, matches) == {1: 0, 2: 2}, "the third is never found"


def test_recall_is_told_by_size():
    boxes = np.array([[0, 0, 30, 30], [100, 0, 150, 50], [200, 0, 259, 59]])
    truth = [TrackedBoxes(np.array([1, 2, 3]), boxes)]
    matches = match_frames(truth, [TrackedBoxes(np.array([2, 3]), boxes[1:])])
    assert recall_by_side(truth, matches, (0, 40, 60)) == [(0, 1), (2, 2)]


def test_landmarks_off_by_a_tenth_of_the_eyes_distance_are_off_by_a_tenth():
    landmarks = np.random.default_rng(0).uniform(0, 200, (1, 68, 2))
    landmarks[0, 36], landmarks[0, 45] = (50, 100), (50, 180)
    assert landmark_nme(landmarks + [8, 0], landmarks) == pytest.approx(0.1)
    assert landmark_nme(landmarks, landmarks) == 0.0
    assert landmark_nme(3 * landmarks + [24, 0], 3 * landmarks) == pytest.approx(0.1)  # whatever the size
