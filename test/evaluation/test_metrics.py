"""The figures are the textbook's, and their intervals hold them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.metrics import (
    confusion,
    expected_calibration_error,
    macro_f1,
    score,
    wilson,
)


def certain(predicted):
    return np.eye(7)[predicted]


def test_a_confusion_matrix_has_true_classes_as_rows():
    table = confusion(np.array([3, 3, 4]), np.array([3, 4, 4]))
    assert table[3, 3] == 1 and table[4, 3] == 1 and table[4, 4] == 1 and table.sum() == 3


def test_accuracy_f1_and_per_class_rates_by_hand():
    labels = np.array([0, 0, 0, 0, 3, 3])
    found = score(certain(np.array([0, 0, 0, 3, 3, 0])), labels)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.per_class["angry"].recall == 3 / 4 and found.per_class["angry"].precision == 3 / 4
    assert found.per_class["happy"].recall == 1 / 2 and found.per_class["happy"].images == 2
    assert math.isnan(found.per_class["fear"].recall)
    assert found.macro_f1 == pytest.approx((0.75 + 0.5) / 2)
    assert found.accuracy_interval[0] < found.accuracy < found.accuracy_interval[1]


def test_perfect_answers_score_one_everywhere():
    labels = np.arange(70) % 7
    found = score(certain(labels), labels)
    assert found.accuracy == found.macro_f1 == 1.0 and found.ece == 0.0


def test_wilson_as_published():
    # Newcombe 1998, Statistics in Medicine 17, Table I: 81 of 263 and 0 of 20
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert all(math.isnan(v) for v in wilson(0, 0))


@given(st.integers(1, 5000), st.data())
def test_wilson_holds_the_rate_and_stays_a_rate(trials, data):
    hits = data.draw(st.integers(0, trials))
    low, high = wilson(hits, trials)
    assert 0 <= low <= hits / trials <= high <= 1


def test_calibration_error_is_the_gap_between_confidence_and_truth():
    confidence = np.full(100, 0.9)
    hit = np.arange(100) < 60
    assert expected_calibration_error(confidence, hit) == pytest.approx(0.3)
    assert expected_calibration_error(np.ones(4), np.ones(4, bool)) == 0.0


def test_the_interval_of_a_small_calibration_error_holds_it():
    rng = np.random.default_rng(3)
    p = rng.dirichlet(np.ones(7), 3000)
    labels = (p.cumsum(1) > rng.random((3000, 1))).argmax(1)  # as calibrated as can be
    found = score(p, labels)
    low, high = found.ece_interval
    assert 0 <= low < found.ece < high and found.ece < 0.03
    assert found.macro_f1_interval[0] < found.macro_f1 < found.macro_f1_interval[1]


def test_macro_f1_leaves_out_classes_that_never_occur():
    assert macro_f1(confusion(np.array([1, 1]), np.array([1, 1]))) == 1.0


def test_no_faces_or_other_shapes_are_refused():
    with pytest.raises(DataError, match="at least 1"):
        score(np.zeros((0, 7)), np.zeros(0, int))
    with pytest.raises(DataError, match="for 2 labels"):
        score(np.zeros((3, 7)), np.zeros(2, int))


def test_intervals_repeat_with_their_seed():
    rng = np.random.default_rng(1)
    p, labels = rng.dirichlet(np.ones(7), 200), rng.integers(0, 7, 200)
    assert score(p, labels).macro_f1_interval == score(p, labels).macro_f1_interval
