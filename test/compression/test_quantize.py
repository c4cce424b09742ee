"""Eqs. 2–4 hold exactly, for any tensor and any number of bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightfer_ros.compression.quantize import integer_limit, quantize, scales
from lightfer_ros.errors import ConfigurationError

# torch, loaded by other tests, may flush subnormal numbers to zero in the whole process
FINITE = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
SHAPES = hnp.array_shapes(min_dims=1, max_dims=4, max_side=6)
WEIGHTS = hnp.arrays(np.float32, SHAPES, elements=FINITE)
BITS = st.integers(2, 16)


def test_the_paper_s_numbers_for_eight_bits():
    weights = np.array([-2.0, -1.0, 0.0, 0.5, 1.0], np.float32)
    quantized = quantize(weights, 8)
    assert quantized.scale.item() == 255 / (2 * 2.0)  # Eq. 3
    # −2 · 63.75 = −127.5, clipped to the symmetric integer grid; 31.875 → 32; 63.75 → 64
    assert quantized.values.tolist() == [-127, -64, 0, 32, 64]


def test_the_paper_s_numbers_for_four_bits():
    quantized = quantize(np.array([-1.0, -0.4, 0.1, 1.0], np.float32), 4)
    assert quantized.scale.item() == 7.5
    assert quantized.values.tolist() == [-7, -3, 1, 7]


@given(WEIGHTS, BITS)
def test_integers_stay_on_the_symmetric_grid(weights, bits):
    values = quantize(weights, bits).values
    assert np.abs(values.astype(np.int64)).max() <= 2 ** (bits - 1) - 1 == integer_limit(bits)


@given(WEIGHTS, BITS)
def test_negated_weights_give_negated_integers(weights, bits):
    assert np.array_equal(quantize(-weights, bits).values, -quantize(weights, bits).values)


@given(WEIGHTS, BITS)
def test_no_weight_moves_by_more_than_half_a_step(weights, bits):
    quantized = quantize(weights, bits)
    error = np.abs(quantized.dequantize() - weights)
    assert (error <= 0.5 / quantized.scale * (1 + 1e-9)).all()


@given(WEIGHTS, BITS)
def test_quantizing_twice_at_one_scale_changes_nothing(weights, bits):
    once = quantize(weights, bits)
    twice = quantize(once.dequantize(), bits, scale=once.scale)
    assert np.array_equal(once.values, twice.values)


@given(hnp.arrays(np.float32, (4, 3, 2), elements=FINITE), BITS, st.integers(-3, 2))
def test_per_channel_is_per_tensor_on_each_channel(weights, bits, axis):
    whole = quantize(weights, bits, axis)
    for i in range(weights.shape[axis]):
        alone = quantize(weights.take(i, axis), bits)
        assert np.array_equal(whole.values.take(i, axis), alone.values)


@given(SHAPES, BITS)
def test_all_zero_weights_stay_zero(shape, bits):
    quantized = quantize(np.zeros(shape, np.float32), bits)
    assert not quantized.values.any() and np.isfinite(quantized.scale).all()


@given(FINITE.filter(lambda v: abs(v) > 1e-30), BITS)
def test_a_single_value_takes_the_end_of_the_grid(value, bits):
    quantized = quantize(np.array([value], np.float32), bits)
    assert quantized.values.item() == np.sign(value) * integer_limit(bits)


def test_a_zero_channel_among_others_has_a_usable_scale():
    weights = np.array([[0.0, 0.0], [1.0, -1.0]], np.float32)
    assert scales(weights, 8, axis=0).reshape(-1).tolist() == [1.0, 127.5]


@pytest.mark.parametrize("bits", [0, 1, 17])
def test_bits_outside_the_range_are_refused(bits):
    with pytest.raises(ConfigurationError, match=f"bits is {bits}, expected 2 to 16"):
        quantize(np.ones(3, np.float32), bits)


def test_weights_that_are_no_numbers_are_refused():
    with pytest.raises(ConfigurationError, match="NaN"):
        quantize(np.array([1.0, np.nan], np.float32))
