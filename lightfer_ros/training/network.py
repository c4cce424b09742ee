"""What a network to be trained looks like, and which layers it is built with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import layers

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.limits import BELOW_ONE, COUNT, NOT_NEGATIVE, within
from lightfer_ros.training.widths import published_widths


@dataclass(frozen=True)
class NetworkOptions:
    """Shape of the network. Xception as published: width 1, strides (2, 1) (2, 2, 2) 2, 8 middle blocks.

    architecture: "xception", which ships, or "residual", a teacher, which heeds fewer fields: `residual`.
    A 48-pixel face shrinks to 2 x 2 with those strides, so ours keeps maps large for longer. Channel
    counts are Xception's times `width`, rounded up to a multiple of `divisor` (vector units like 16).
    drop_path: share of residual branches dropped in training, rising linearly to this in the last block.
    widths: channels of every group of `widths.published_widths`, in its order, as pruning leaves them;
    then `width` and `divisor` only say where it began.
    """

    architecture: str = "xception"
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
        if self.architecture not in ("xception", "residual"):
            raise ConfigurationError(
                f"network: architecture is {self.architecture!r}, expected xception or residual"
            )
        if not 0.0 < self.width <= 4.0:
            raise ConfigurationError(f"network: width is {self.width}, expected above 0 and at most 4")
        within("network", self, divisor=COUNT, middle_blocks=NOT_NEGATIVE, exit_stride=COUNT)
        within("network", self, dropout=BELOW_ONE, drop_path=BELOW_ONE, batch_norm_momentum=BELOW_ONE)
        within("network", self, input_size=(16, float("inf")))
        groups = len(published_widths(self.middle_blocks))
        if self.widths is not None and len(self.widths) != groups:
            raise ConfigurationError(f"network: {len(self.widths)} widths, expected {groups}")

    def table(self) -> dict[str, int]:
        """Channels of every group of layers, by name."""
        published = published_widths(self.middle_blocks)
        if self.widths is not None:
            return dict(zip(published, self.widths, strict=True))
        return {name: self.channels(width) for name, width in published.items()}

    def channels(self, published: int) -> int:
        """A published channel count at this width."""
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
    dropout: Callable[..., Any] = layers.Dropout
    dense: Callable[..., Any] = layers.Dense
    casts_inputs: bool = True
