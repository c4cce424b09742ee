"""From options to a Keras network, whichever architecture they ask for."""

from __future__ import annotations

import keras

from lightfer_ros.errors import ModelError
from lightfer_ros.model.record import record_from
from lightfer_ros.training.checkpoint import Checkpoint, restore_variables
from lightfer_ros.training.network import LayerKit, NetworkOptions
from lightfer_ros.training.residual import build_residual
from lightfer_ros.training.xception import build_xception

PLAIN = LayerKit()


def build_network(options: NetworkOptions, kit: LayerKit = PLAIN, name: str = "lightfer") -> keras.Model:
    """The network: float32 [n, size, size, 1] → logits float32 [n, 7]."""
    build = build_xception if options.architecture == "xception" else build_residual
    model = build(options, kit, name)
    for layer in model.layers:
        layer.autocast = kit.casts_inputs
    return model


def restored_network(saved: Checkpoint, where: str, kit: LayerKit = PLAIN) -> keras.Model:
    """The network that a run gives, of one of its checkpoints; `where` names it in errors.

    Raises ModelError when the weights are not those of the network that its recipe asks for.
    """
    model = build_network(record_from(NetworkOptions, saved.recipe["network"], where, ModelError), kit)
    restore_variables(model, saved.average, where)
    return model
