"""Misses in a row are counted per face, and who is new has to be seen again at once."""

import numpy as np

from lightfer_ros.perception.misses import MOST_MISSES, Misses


def ids(*track_ids):
    return np.array(track_ids, np.int64)


def test_only_who_is_looked_for_can_be_missed_and_who_is_seen_begins_anew():
    misses, (yes, no) = Misses(), (True, False)
    misses.count(ids(1, 2, 3), np.array([yes, no, yes]), np.array([no, no, yes]))
    counts = misses.count(ids(1, 2, 3), np.array([yes, no, no]), np.array([no, no, no]))
    assert counts.tolist() == [2, 0, 0] == misses.of(ids(1, 2, 3)).tolist()
    assert misses.count(ids(1), np.array([yes]), np.array([yes])).tolist() == [0]


def test_who_is_new_may_be_missed_no_more_and_others_keep_their_count():
    misses = Misses()
    misses.count(ids(1), np.array([True]), np.array([False]))
    misses.found(ids(5))
    misses.keep(ids(1, 2, 5))
    assert misses.of(ids(1, 2, 5)).tolist() == [1, MOST_MISSES - 1, 0]
    misses.keep(ids(5))
    assert misses.of(ids(1, 5)).tolist() == [0, 0]  # of the forgotten nothing is known
