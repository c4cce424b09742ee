"""Unstructured magnitude pruning: the smallest weights become zeros and stay where they are.

Nothing but a general-purpose compressor sees those zeros: the comparison that shows why channels are removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lightfer_ros.compression.graph import Conv, Network, Operation
from lightfer_ros.compression.ratio import LayerCount, count_layers
from lightfer_ros.errors import ConfigurationError


def without_smallest(network: Network, uncompressed: Mapping[str, LayerCount], ratio: float) -> Network:
    """The network with as many of its convolutions' smallest weights set to zero as R of Eq. 1 asks for.

    One threshold for all layers; zeros do not count as weights, filters and channels still do. ratio: R
    against `uncompressed`. Not trained on afterwards. Raises ConfigurationError where all weights together
    are too few to get there, or it is there already.
    """
    counts = count_layers(network)
    kernels = {op.name: op.kernel for op in network.operations if isinstance(op, Conv)}
    magnitudes = np.sort(np.abs(np.concatenate([k.reshape(-1) for k in kernels.values()])))
    goal = sum(c.total for c in uncompressed.values()) / ratio
    surplus = round(sum(c.total for c in counts.values()) - goal)
    if not 0 < surplus < len(magnitudes):
        raise ConfigurationError(
            f"magnitude pruning: R = {ratio:g} needs {surplus:,} zeros, expected 1 to {len(magnitudes) - 1:,}"
        )
    threshold = magnitudes[surplus - 1]
    changed: dict[str, Operation] = {
        op.name: replace(op, kernel=np.where(np.abs(op.kernel) <= threshold, np.float32(0), op.kernel))
        for op in network.operations
        if isinstance(op, Conv)
    }
    return network.with_operations(changed)
