"""Xception with global average pooling, at any width and for small faces (Chollet 2017, arXiv:1610.02357)."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from lightfer_ros.model import EMOTIONS
from lightfer_ros.training.network import LayerKit, NetworkOptions


def build_xception(options: NetworkOptions, kit: LayerKit, name: str) -> keras.Model:
    """See `architecture.build_network`."""
    net, wide = _Builder(options, kit), options.table()
    x = inputs = keras.Input((options.input_size, options.input_size, 1), name="faces")
    for i, stride in enumerate(options.stem_strides, 1):
        x = net.conv(x, wide[f"stem{i}"], 3, stride, f"stem{i}")
        x = layers.Activation("relu", name=f"stem{i}_relu")(x)
    for i, stride in enumerate(options.entry_strides, 1):
        widths = wide[f"entry{i}_inner"], wide["trunk" if i == 3 else f"entry{i}"]
        x = net.down_block(x, widths, stride, f"entry{i}", first_relu=i > 1)
    for i in range(1, options.middle_blocks + 1):
        x = net.middle_block(x, (wide[f"middle{i}_first"], wide[f"middle{i}_second"], wide["trunk"]), i)
    x = net.down_block(x, (wide["exit1_inner"], wide["exit1"]), options.exit_stride, "exit1")
    for i in (2, 3):
        x = net.separable(x, wide[f"exit{i}"], f"exit{i}")
        x = layers.Activation("relu", name=f"exit{i}_relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = kit.dropout(options.dropout, name="dropout")(x)
    x = kit.dense(len(EMOTIONS), name="logits")(x)
    return keras.Model(inputs, x, name=name)


class _Builder:
    """Keeps what every block needs: options, layer kit, naming."""

    def __init__(self, options: NetworkOptions, kit: LayerKit) -> None:
        self.options = options
        self.kit = kit

    def norm(self, x: Any, name: str) -> Any:
        return self.kit.batch_norm(momentum=self.options.batch_norm_momentum, name=f"{name}_bn")(x)

    def conv(self, x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
        x = self.kit.conv(filters, kernel, strides=stride, padding="same", use_bias=False, name=name)(x)
        return self.norm(x, name)

    def separable(self, x: Any, filters: int, name: str) -> Any:
        # Two layers, not SeparableConv2D: export, pruning and counting see depthwise and pointwise apart.
        # Unit gain over the 9 weights of a filter. Keras' default counts all channels as inputs and starts
        # some 5 times too small, so that every step of Adam shakes these weights 5 times as hard.
        start = keras.initializers.RandomNormal(stddev=1.0 / 3.0)
        x = self.kit.depthwise(
            3, padding="same", use_bias=False, depthwise_initializer=start, name=f"{name}_dw"
        )(x)
        return self.conv(x, filters, 1, 1, f"{name}_pw")

    def down_block(
        self, x: Any, filters: tuple[int, int], stride: int, name: str, first_relu: bool = True
    ) -> Any:
        shortcut = self.conv(x, filters[1], 1, stride, f"{name}_shortcut")
        for i, width in enumerate(filters, 1):
            if i > 1 or first_relu:
                x = layers.Activation("relu", name=f"{name}_relu{i}")(x)
            x = self.separable(x, width, f"{name}_sep{i}")
        if stride > 1:
            x = self.kit.max_pool(3, strides=stride, padding="same", name=f"{name}_pool")(x)
        return layers.Add(name=f"{name}_add")([x, shortcut])

    def middle_block(self, x: Any, widths: tuple[int, int, int], index: int) -> Any:
        shortcut, name = x, f"middle{index}"
        for i, width in enumerate(widths, 1):
            x = layers.Activation("relu", name=f"{name}_relu{i}")(x)
            x = self.separable(x, width, f"{name}_sep{i}")
        rate = self.options.drop_path * index / max(1, self.options.middle_blocks)
        if rate > 0.0:
            x = self.kit.dropout(rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop_path")(x)
        return layers.Add(name=f"{name}_add")([x, shortcut])
