"""R of Eq. 1 counts weights, filters and channels of every layer."""

import numpy as np
import pytest

from lightfer_ros.compression.graph import Conv, Dense, GlobalAverage, Network
from lightfer_ros.compression.ratio import compare, count_layers

from .tiny import tiny_network


def two_layers(filters: int) -> Network:
    conv = Conv("a", ("x",), np.zeros((filters, 1, 3, 3), np.float32), np.ones(filters, np.float32))
    dense = Dense("b", ("m",), np.zeros((filters, 7), np.float32), np.ones(7, np.float32))
    return Network((conv, GlobalAverage("m", ("a",)), dense), "x", 5, 1)


def test_equation_1_by_hand():
    # conv: 9·8 + 8 weights, 8 filters, 1 channel = 89; dense: 8·7 + 7, 7, 8 = 78. Halved: 45 and 46
    found = compare(count_layers(two_layers(8)), two_layers(4))
    assert found.ratio == pytest.approx((89 + 78) / (45 + 46))
    assert found.layer_ratio("a") == pytest.approx(89 / 45)


def test_a_removed_layer_counts_nothing_but_stays_in_the_table():
    full, thin = two_layers(8), two_layers(8)
    found = compare(count_layers(full), thin)
    del found.pruned["a"]
    assert found.ratio == pytest.approx((89 + 78) / 78)
    assert found.layer_ratio("a") == float("inf")
    assert "inf" in found.table()


def test_multiply_accumulates_of_a_depthwise_layer():
    counts = count_layers(tiny_network())
    assert counts["stem"].macs == 8 * 9 * 8 * 8
    assert counts["dw1"].macs == 8 * 9 * 8 * 8 and counts["dw1"].channels == 8
    assert counts["pw1"].macs == 8 * 8 * 8 * 8
    assert counts["logits"].macs == 12 * 7
