"""Xception as published (Chollet 2017, arXiv:1610.02357), counted layer by layer: the U of Eq. 1."""

from __future__ import annotations

from lightfer_ros.compression.graph import Conv, Network
from lightfer_ros.compression.ratio import LayerCount

CLASSES = 7


def published_layers(network: Network) -> dict[str, LayerCount]:
    """The layers of Xception at width 1.0 with the input and strides of `network`, under its layers' names.

    Maps are as large as in `network`, so that multiply-accumulates compare too; of a layer that pruning
    removed, the size is taken from its block.
    """
    out: dict[str, LayerCount] = {}
    shapes = network.shapes()
    sizes = {
        op.name: shapes[op.name][1] * shapes[op.name][2] for op in network.operations if isinstance(op, Conv)
    }

    def add(name: str, channels: int, filters: int, kernel: int, depthwise: bool = False) -> None:
        weights = filters * kernel * kernel * (1 if depthwise else channels)
        # Depthwise layers have no bias: batch normalization comes after the pointwise ones
        bias = 0 if depthwise else filters
        out[name] = LayerCount(name, weights + bias, filters, channels, weights * _places(sizes, name))

    def separable(name: str, channels: int, filters: int) -> None:
        add(f"{name}_dw", channels, channels, 3, depthwise=True)
        add(f"{name}_pw", channels, filters, 1)

    def down_block(name: str, channels: int, first: int, second: int) -> None:
        add(f"{name}_shortcut", channels, second, 1)
        separable(f"{name}_sep1", channels, first)
        separable(f"{name}_sep2", first, second)

    add("stem1", network.channels, 32, 3)
    add("stem2", 32, 64, 3)
    for i, (before, after) in enumerate(((64, 128), (128, 256), (256, 728)), 1):
        down_block(f"entry{i}", before, after, after)
    for block in range(1, 9):
        for i in (1, 2, 3):
            separable(f"middle{block}_sep{i}", 728, 728)
    down_block("exit1", 728, 728, 1024)
    separable("exit2", 1024, 1536)
    separable("exit3", 1536, 2048)
    out["logits"] = LayerCount("logits", 2048 * CLASSES + CLASSES, CLASSES, 2048, 2048 * CLASSES)
    return out


def _places(sizes: dict[str, int], name: str) -> int:
    """How many positions a layer's map has."""
    if name in sizes:
        return sizes[name]
    stage = name.split("_")[0].rstrip("0123456789")
    return max((size for other, size in sizes.items() if other.startswith(stage)), default=0)
