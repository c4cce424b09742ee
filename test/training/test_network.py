"""The network is Xception: published sizes at width 1, the same answers with fast layers and after export."""

import numpy as np
import pytest
import torch

from lightfer_ros.compression.from_keras import from_keras
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.ratio import compare, count_layers
from lightfer_ros.compression.reference import published_layers
from lightfer_ros.compression.running import probabilities
from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.training.architecture import build_network
from lightfer_ros.training.native import NATIVE
from lightfer_ros.training.network import NetworkOptions

SMALL = NetworkOptions(width=0.05, divisor=4, middle_blocks=2, drop_path=0.3)


def shake(model, seed=0):
    """Random weights and statistics, so that nothing is hidden by zeros and ones."""
    rng = np.random.default_rng(seed)
    model.set_weights(
        [
            np.abs(w) + rng.uniform(0, 0.5, w.shape) if w.ndim == 1 else w + rng.normal(0, 0.05, w.shape)
            for w in model.get_weights()
        ]
    )
    return model


def batch(n=4, size=48):
    return np.random.default_rng(5).uniform(-1, 1, (n, size, size, 1)).astype(np.float32)


def run(model, x, training=False):
    with torch.no_grad():
        return model(torch.from_numpy(x), training=training).numpy()


def test_width_one_has_the_published_number_of_parameters():
    model = build_network(NetworkOptions())
    # Chollet's 20,861,480 without the 1,000-class layer (2,049,000), one grey channel instead of three (576
    # fewer) and seven classes (14,343 more): keras.applications counts batch norm's statistics too
    assert model.count_params() == 20_861_480 + 14_343 - 576


def test_eight_times_fewer_at_the_shipped_width():
    thin = from_keras(shake(build_network(NetworkOptions(width=0.33))))
    assert compare(published_layers(thin), thin).ratio > 8


def test_the_published_counts_are_those_of_the_network_at_width_one():
    full = from_keras(shake(build_network(NetworkOptions())))
    assert count_layers(full) == published_layers(full)


@pytest.mark.parametrize("size", [48, 40, 33])
def test_fast_layers_answer_as_plain_ones(size):
    options = NetworkOptions(input_size=size, width=0.05, divisor=4, middle_blocks=1)
    plain, fast = build_network(options), build_network(options, NATIVE)
    shake(plain)
    fast.set_weights(plain.get_weights())
    x = batch(size=size)
    assert np.allclose(run(plain, x), run(fast, x), atol=1e-4)


def test_fast_batch_norm_follows_the_same_statistics():
    options = NetworkOptions(width=0.05, divisor=4, middle_blocks=1, dropout=0.0, drop_path=0.0)
    plain, fast = build_network(options), build_network(options, NATIVE)
    fast.set_weights(plain.get_weights())
    x = batch(64)
    for model in (plain, fast):
        model(torch.from_numpy(x), training=True)
    for a, b in zip(plain.get_weights(), fast.get_weights(), strict=True):
        assert np.allclose(a, b, rtol=2e-2, atol=2e-3)  # torch divides the variance by n − 1, Keras by n


@pytest.mark.parametrize("kit", ["plain", "fast"])
def test_onnx_answers_as_keras(kit):
    model = shake(build_network(SMALL, NATIVE) if kit == "fast" else build_network(SMALL))
    logits = run(model, batch())
    logits = logits - logits.max(1, keepdims=True)
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    network = from_keras(model)
    found = probabilities(to_onnx(network, "x"), batch().transpose(0, 3, 1, 2))
    assert np.abs(found - expected).max() < 1e-5


def test_a_dropped_branch_is_dropped_for_whole_faces():
    model = shake(build_network(SMALL, NATIVE))
    x = np.repeat(batch(1), 16, 0)
    torch.manual_seed(0)
    out = run(model, x, training=True)
    assert len(np.unique(out.round(4), axis=0)) > 1
    assert len(np.unique(run(model, x).round(4), axis=0)) == 1


def test_a_layer_the_exporter_does_not_know_is_named():
    import keras

    inputs = keras.Input((16, 16, 1))
    x = keras.layers.Conv2DTranspose(2, 3, name="strange")(inputs)
    with pytest.raises(ModelError, match="strange is a Conv2DTranspose"):
        from_keras(keras.Model(inputs, x))


def test_a_width_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="width is 0"):
        NetworkOptions(width=0)
