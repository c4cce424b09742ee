"""The teachers' network: ordinary convolutions, the same answers with fast layers, not to be pruned."""

from dataclasses import replace

import numpy as np
import pytest

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.architecture import build_network
from lightfer_ros.training.native import NATIVE
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.prune import PruneOptions

from .test_network import batch, run, shake

SMALL = NetworkOptions(architecture="residual", width=0.06, divisor=4, middle_blocks=1, drop_path=0.3)


def test_at_width_one_it_has_five_million_weights():
    model = build_network(replace(SMALL, width=1.0, middle_blocks=0))
    assert 4.8e6 < model.count_params() < 5.0e6
    sizes = [layer.output.shape[1] for layer in model.layers if layer.name.endswith("_add")]
    assert sizes == [48, 24, 12, 6]


def test_fast_layers_answer_as_plain_ones():
    plain, fast = build_network(SMALL), build_network(SMALL, NATIVE)
    shake(plain)
    fast.set_weights(plain.get_weights())
    assert np.allclose(run(plain, batch()), run(fast, batch()), atol=1e-4)


def test_its_channels_are_not_pruned(toy_recipe):
    with pytest.raises(ConfigurationError, match=r"prune\.ratio is 4\.0 and network\.architecture residual"):
        replace(toy_recipe, network=SMALL, prune=PruneOptions(ratio=4.0))


def test_an_architecture_that_nobody_knows_is_refused():
    with pytest.raises(ConfigurationError, match="architecture is 'vgg', expected xception or residual"):
        NetworkOptions(architecture="vgg")
