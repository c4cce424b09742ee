"""Medians: NumPy's, to the bit."""

import numpy as np
import pytest

from lightfer_ros.perception.medians import median


@pytest.mark.parametrize("shape", [(1, 2), (67, 2), (68, 2), (3, 5, 2)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_median_is_that_of_numpy(shape, axis):
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(median(values, axis), np.median(values, axis=axis))


def test_of_nobody_there_are_no_medians():
    assert median(np.empty((0, 68, 2)), axis=1).shape == (0, 2)
