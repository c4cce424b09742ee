"""Medians: NumPy's, to the bit."""

import numpy as np
import pytest

from lightfer_ros.perception.medians import median, median_of


@pytest.mark.parametrize("shape", [(1, 2), (67, 2), (68, 2), (3, 5, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_median_is_that_of_numpy(shape, axis):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(median(values, axis), np.median(values, axis=axis))


def test_of_nobody_there_are_no_medians():
    assert median(np.empty((0, 68, 2)), axis=1).shape == (0, 2)


def test_the_median_of_each_rows_chosen_numbers_is_that_of_numpy_and_0_where_none_is():
    rng = np.random.default_rng(0)
    values, which = rng.normal(size=(9, 7, 2)), rng.random((9, 7)) < np.linspace(0, 1, 9)[:, None]
    for row, chosen, found in zip(values, which, median_of(values, which)):
        np.testing.assert_array_equal(found, np.median(row[chosen], axis=0) if chosen.any() else (0.0, 0.0))
    assert median_of(np.empty((0, 68, 2)), np.empty((0, 68), bool)).shape == (0, 2)
