"""What NumPy says of few numbers, to the bit."""

import numpy as np
import pytest

from lightfer_ros.perception.few import among, largest, median


@pytest.mark.parametrize("shape", [(1, 2), (67, 2), (68, 2), (3, 5, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_median_is_that_of_numpy(shape, axis):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(median(values, axis), np.median(values, axis=axis))


def test_of_nobody_there_are_no_medians():
    assert median(np.empty((0, 68, 2)), axis=1).shape == (0, 2)


@pytest.mark.parametrize("values", [[], [3], [1, 2, 3, 2]])
@pytest.mark.parametrize("others", [[], [2], [3, 3, 7]])
def test_who_is_among_others_is_so_for_numpy(values, others):
    values, others = np.array(values, np.int64), np.array(others, np.int64)
    np.testing.assert_array_equal(among(values, others), np.isin(values, others), strict=True)


@pytest.mark.parametrize("most", [0, 1, 2, 9])
def test_the_largest_are_the_last_when_sorted_and_the_first_of_equal_ones(most):
    values = np.array([3.0, 1.0, 3.0, 2.0, 3.0])
    wanted = [0, 2, 4, 3, 1][:most]
    np.testing.assert_array_equal(np.flatnonzero(largest(values, most)), sorted(wanted))
    assert largest(np.empty(0), most).shape == (0,)
