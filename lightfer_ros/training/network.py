"""Xception with global average pooling, at any width and for small faces (Chollet 2017, arXiv:1610.02357)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import EMOTIONS
from lightfer_ros.training.widths import published_widths


@dataclass(frozen=True)
class NetworkOptions:
    """Shape of the network. Xception as published: width 1, strides (2, 1) (2, 2, 2) 2, 8 middle blocks.

    A 48-pixel face shrinks to 2 x 2 with those strides, so ours keeps maps large for longer. Channel
    counts are Xception's times `width`, rounded up to a multiple of `divisor` (vector units like 16).
    drop_path: share of residual branches dropped in training, rising linearly to this in the last block.
    widths: channels of every group of `widths.published_widths`, in its order, as pruning leaves them;
    then `width` and `divisor` only say where it began.
    """

    input_size: int = 48
    width: float = 1.0
    divisor: int = 16
    stem_strides: tuple[int, int] = (1, 2)
    entry_strides: tuple[int, int, int] = (2, 2, 1)
    exit_stride: int = 2
    middle_blocks: int = 8
    dropout: float = 0.2
    drop_path: float = 0.1
    batch_norm_momentum: float = 0.9
    widths: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.width <= 4.0:
            raise ConfigurationError(f"network: width is {self.width}, expected above 0 and at most 4")
        if self.input_size < 16:
            raise ConfigurationError(f"network: input_size is {self.input_size}, expected at least 16")
        groups = len(published_widths(self.middle_blocks))
        if self.widths is not None and len(self.widths) != groups:
            raise ConfigurationError(f"network: {len(self.widths)} widths, expected {groups}")

    def table(self) -> dict[str, int]:
        """Channels of every group of layers, by name."""
        published = published_widths(self.middle_blocks)
        if self.widths is not None:
            return dict(zip(published, self.widths, strict=True))
        return {name: self._channels(width) for name, width in published.items()}

    def _channels(self, published: int) -> int:
        if self.width == 1.0:
            return published
        return max(1, -(-int(published * self.width) // self.divisor)) * self.divisor


@dataclass(frozen=True)
class LayerKit:
    """The layer classes to build with: plain Keras, or the faster ones of `native`, with the same weights.

    casts_inputs: whether layers turn maps into their own type, float32; False where the caller's
    automatic mixed precision decides.
    """

    conv: Callable[..., Any] = layers.Conv2D
    depthwise: Callable[..., Any] = layers.DepthwiseConv2D
    batch_norm: Callable[..., Any] = layers.BatchNormalization
    max_pool: Callable[..., Any] = layers.MaxPooling2D
    drop_path: Callable[..., Any] = layers.Dropout
    dense: Callable[..., Any] = layers.Dense
    casts_inputs: bool = True


def build_xception(
    options: NetworkOptions, kit: LayerKit = LayerKit(), name: str = "lightfer"
) -> keras.Model:
    """The network: float32 [n, size, size, 1] → logits float32 [n, 7]."""
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
    x = layers.Dropout(options.dropout, name="dropout")(x)
    x = kit.dense(len(EMOTIONS), name="logits")(x)
    model = keras.Model(inputs, x, name=name)
    for layer in model.layers:
        layer.autocast = kit.casts_inputs
    return model


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
            x = self.kit.drop_path(rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop_path")(x)
        return layers.Add(name=f"{name}_add")([x, shortcut])
