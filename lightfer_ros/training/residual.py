"""Residual blocks of ordinary convolutions (He et al. 2016, arXiv:1512.03385): a teacher for small faces.

Not for a robot: ordinary convolutions cost several times what separable ones do. docs/training.md says how
good it is.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from lightfer_ros.model import EMOTIONS
from lightfer_ros.training.network import LayerKit, NetworkOptions

STAGES = (64, 128, 256, 512)
"""Channels at width 1; every stage but the first begins by halving the picture."""


def build_residual(options: NetworkOptions, kit: LayerKit, name: str) -> keras.Model:
    """See `architecture.build_network`.

    Heeds input_size, width, divisor, dropout, drop_path, batch_norm_momentum, and middle_blocks: blocks of
    each stage after its first.
    """

    def conv(x: Any, filters: int, kernel: int, name: str) -> Any:
        x = kit.conv(filters, kernel, strides=1, padding="same", use_bias=False, name=name)(x)
        return kit.batch_norm(momentum=options.batch_norm_momentum, name=f"{name}_bn")(x)

    def block(x: Any, filters: int, name: str, drop: float) -> Any:
        shortcut = x if x.shape[-1] == filters else conv(x, filters, 1, f"{name}_shortcut")
        x = layers.Activation("relu", name=f"{name}_relu1")(conv(x, filters, 3, f"{name}_conv1"))
        x = conv(x, filters, 3, f"{name}_conv2")
        if drop > 0.0:
            x = kit.dropout(drop, noise_shape=(None, 1, 1, 1), name=f"{name}_drop_path")(x)
        x = layers.Add(name=f"{name}_add")([x, shortcut])
        return layers.Activation("relu", name=f"{name}_relu2")(x)

    x = inputs = keras.Input((options.input_size, options.input_size, 1), name="faces")
    x = layers.Activation("relu", name="stem_relu")(conv(x, options.channels(STAGES[0]), 3, "stem"))
    for i, width in enumerate(STAGES):
        if i:
            x = kit.max_pool(3, strides=2, padding="same", name=f"pool{i}")(x)
        for j in range(options.middle_blocks + 1 if i else 1):  # the first, at full size, is dear enough
            drop = options.drop_path * i / (len(STAGES) - 1)
            x = block(x, options.channels(width), f"stage{i + 1}_block{j + 1}", drop)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = kit.dropout(options.dropout, name="dropout")(x)
    return keras.Model(inputs, kit.dense(len(EMOTIONS), name="logits")(x), name=name)
