"""Assignment: the pairs whose sum is the largest, whatever the shape, never one that is impossible."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightfer_ros.perception.assignment import assign

SCORES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    elements=st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0, 1.7]),
)


@given(scores=SCORES)
def test_no_other_pairing_is_better(scores):
    pairs = assign(scores)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(scores[i, j] > 0 for i, j in pairs)
    size = max(scores.shape)
    square = np.zeros((size, size))
    square[: scores.shape[0], : scores.shape[1]] = scores
    best = max(
        (sum(square[i, j] for i, j in enumerate(order)) for order in permutations(range(size))), default=0
    )
    np.testing.assert_allclose(sum(scores[i, j] for i, j in pairs), best)


def test_the_best_pair_is_given_up_where_all_together_gain_by_it():
    assert assign(np.array([[0.9, 0.8], [0.8, 0.0]])) == [(0, 1), (1, 0)]
