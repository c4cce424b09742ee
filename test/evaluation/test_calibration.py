"""Calibration: what was done to honest logits is found again and taken back; nothing else is changed."""

from __future__ import annotations

import numpy as np
import pytest

from lightfer_ros.evaluation.calibration import Calibration, fit
from lightfer_ros.evaluation.metrics import expected_calibration_error

BIAS = (0.4, -0.3, 0.1, 0.0, -0.5, 0.2, 0.1)


def honest(n: int = 20_000, classes: int = 7):
    """Distributions, and labels drawn from them."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, classes))
    true = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return true, (true.cumsum(1) > rng.random((n, 1))).argmax(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_and_the_bias_that_were_put_in_are_found_again(temperature):
    true, labels = honest()
    told = Calibration(1 / temperature, tuple(-temperature * b for b in BIAS))(true)
    found = fit(told, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.04)
    assert np.allclose(found.bias, BIAS, atol=0.08)
    assert np.allclose(found(told), true, atol=0.03)


def test_honest_distributions_are_left_as_they_are():
    true, labels = honest()
    assert np.abs(fit(true, labels)(true) - true).max() < 0.03


def test_confidence_comes_to_mean_what_it_says_on_faces_that_were_not_fitted_on():
    true, labels = honest()
    told = Calibration(0.5, BIAS)(true)
    found = fit(told[:10_000], labels[:10_000])
    judged, hit_of = told[10_000:], labels[10_000:]

    def error(p):
        return expected_calibration_error(p.max(1), p.argmax(1) == hit_of)

    assert error(found(judged)) < 0.02 < error(judged)


def test_a_temperature_alone_leaves_every_label():
    true, _ = honest(500)
    assert np.array_equal(Calibration(2.5, (0.0,) * 7)(true).argmax(1), true.argmax(1))


def test_classes_without_a_label_and_certain_answers_break_nothing():
    true, labels = honest(300)
    certain = np.eye(7)[labels]
    for told in (true, certain):
        found = fit(told, np.where(labels == 1, 0, labels))
        assert np.isfinite([found.temperature, *found.bias]).all()
        assert 1 / 8 <= found.temperature <= 8 and sum(found.bias) == pytest.approx(0, abs=1e-9)
