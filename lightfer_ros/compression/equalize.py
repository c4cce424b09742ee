"""Cross-layer equalisation: even out channels before 8 bits are laid over them; the function stays the same.

A map is quantized with one scale for all channels, so one loud channel takes the grid from the quiet ones.
Where a channel's gain can move across a layer for nothing, it does (Nagel et al. 2019, arXiv:1906.04721):

- pointwise → ReLU → depthwise: ReLU commutes with positive gains and both kernels are quantized per channel,
  so every channel of the map between is brought to the same range at no cost at all.
- depthwise → pointwise: nothing stands between, so gains move freely, but they widen the columns of the
  pointwise kernel, whose scales are per row. `balance` shares the burden (Xiao et al. 2022,
  arXiv:2211.10438).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lightfer_ros.compression.graph import Conv, Network, Operation, Relu

_TINY = 1e-6


def equalize(network: Network, extremes: Mapping[str, np.ndarray], balance: float = 0.5) -> Network:
    """The same function with even channels.

    extremes: largest magnitude per channel of every map on real faces, as `calibrate.channel_extremes`
    gives. balance: 0 leaves the maps between depthwise and pointwise as they are, 1 makes them even.
    """
    for op in network.operations:
        if not isinstance(op, Conv):
            continue
        now = _named(network, op.name)
        chain = _chain(network, op.name)
        if chain is None:
            continue
        follower, has_relu = chain
        if follower.depthwise:
            gain = extremes[op.name if not has_relu else network.consumers(op.name)[0].name]
        elif now.depthwise and not has_relu and balance > 0:
            columns = np.abs(follower.kernel).max((0, 2, 3))
            gain = extremes[op.name] ** balance / np.maximum(columns, _TINY) ** (1.0 - balance)
        else:
            continue
        network = _move(network, now, follower, gain)
    return network


def _move(network: Network, before: Conv, after: Conv, gain: np.ndarray) -> Network:
    """Divide `before`'s output channels by `gain` and multiply `after`'s input channels by it."""
    alive = gain > _TINY  # a channel that is always zero has nothing to even out
    if not alive.any():
        return network
    gain = np.where(alive, gain / np.exp(np.log(np.maximum(gain, _TINY))[alive].mean()), 1.0)
    gain = gain.astype(np.float32)
    wide = gain[:, None, None, None] if after.depthwise else gain[None, :, None, None]
    changed: dict[str, Operation] = {
        before.name: replace(
            before, kernel=before.kernel / gain[:, None, None, None], bias=before.bias / gain
        ),
        after.name: replace(after, kernel=after.kernel * wide),
    }
    return network.with_operations(changed)


def _chain(network: Network, name: str) -> tuple[Conv, bool] | None:
    """The convolution that alone reads this one, perhaps through a ReLU, and whether there is one."""
    feeds = network.consumers(name)
    has_relu = len(feeds) == 1 and isinstance(feeds[0], Relu)
    if has_relu:
        feeds = network.consumers(feeds[0].name)
    if len(feeds) != 1 or not isinstance(feeds[0], Conv):
        return None
    return feeds[0], has_relu


def _named(network: Network, name: str) -> Conv:
    return next(op for op in network.operations if isinstance(op, Conv) and op.name == name)
