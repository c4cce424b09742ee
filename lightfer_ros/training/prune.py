"""Pruning during training: channels are removed for real, one global target decides how many in all.

The paper's constraint: no per-layer settings. Every channel of every group competes with all others for
its place, by how much the loss would change without it (first-order Taylor expansion around its gain and
shift: Molchanov et al. 2019, arXiv:1906.10771) for what it costs in the sum of Eq. 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.limits import COUNT, within
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.widths import INPUT, LOGITS, equation_1, layer_shapes, published_widths

Kept = Mapping[str, np.ndarray]
"""Indices of the channels that stay, by group, rising."""


@dataclass(frozen=True)
class PruneOptions:
    """ratio: R of Eq. 1 to reach, against Xception of width 1; 0 prunes nothing.

    what: "channels", removed for real, or "weights", which only become zeros: `magnitude`, a comparison.

    Pruning goes on at the end of each epoch from `first_epoch` to `last_epoch`, most of it early: the
    share still to go falls as the cube of the time left (Zhu & Gupta 2017, arXiv:1710.01878). Channels go
    in `chunk`s, which keeps vector units full; at least one chunk stays in every group.
    """

    ratio: float = 0.0
    what: str = "channels"
    first_epoch: int = 3
    last_epoch: int = 20
    chunk: int = 8

    def __post_init__(self) -> None:
        if self.ratio and not self.ratio >= 1.0:
            raise ConfigurationError(f"prune: ratio is {self.ratio}, expected 0 (off) or at least 1")
        if self.what not in ("channels", "weights"):
            raise ConfigurationError(f"prune: what is {self.what!r}, expected channels or weights")
        if not 1 <= self.first_epoch <= self.last_epoch:
            raise ConfigurationError(
                f"prune: first_epoch is {self.first_epoch} and last_epoch {self.last_epoch}, "
                "expected 1 <= first_epoch <= last_epoch"
            )
        within("prune", self, chunk=COUNT)

    def allowed(self, epoch: int, unpruned: int, published: int) -> int | None:
        """The sum of Eq. 1 that the network may have after `epoch` (from 1); None when it is left alone.

        unpruned: the sum of the network that training began with. published: that of Xception.
        """
        if not self.ratio or not self.first_epoch <= epoch <= self.last_epoch:
            return None
        span = self.last_epoch - self.first_epoch + 1
        left = 1.0 - (epoch - self.first_epoch + 1) / span
        goal = published / self.ratio
        return int(goal + max(0.0, unpruned - goal) * left**3)


class Importance:
    """Sums up, step by step, what each channel means to the loss."""

    def __init__(self, network: Any, middle_blocks: int) -> None:
        layers = {layer.name: layer for layer in network.layers}
        self.norms: dict[str, list[Any]] = {}
        for shape in layer_shapes(middle_blocks):
            if shape.norm:
                self.norms.setdefault(shape.target, []).append(layers[f"{shape.name}_bn"])
        self.sums = {group: torch.zeros_like(norms[0].gamma.value) for group, norms in self.norms.items()}

    def observe(self) -> None:
        """Add the current gradients; call between backward and the optimizer's step."""
        for group, norms in self.norms.items():
            change = sum(
                n.gamma.value.detach() * n.gamma.value.grad + n.beta.value.detach() * n.beta.value.grad
                for n in norms
            )
            assert isinstance(change, torch.Tensor)
            self.sums[group] += change.square()

    def clear(self) -> None:
        """Forget it all, for a new epoch."""
        for total in self.sums.values():
            total.zero_()

    def scores(self) -> dict[str, np.ndarray]:
        """One number per channel, by group; higher matters more."""
        return {group: total.detach().cpu().double().numpy() for group, total in self.sums.items()}


def choose(
    options: NetworkOptions, scores: Mapping[str, np.ndarray], allowed: int, chunk: int
) -> dict[str, np.ndarray]:
    """The channels to keep so that the sum of Eq. 1 is at most `allowed`, as nearly as chunks let it.

    Takes, again and again, the chunk that is worth least for what it costs. Stops early when every group
    is down to one chunk.
    """
    shapes = layer_shapes(options.middle_blocks)
    widths = options.table()
    order = {group: np.argsort(scores[group], kind="stable") for group in widths}
    gone = dict.fromkeys(widths, 0)
    total = equation_1(shapes, widths)
    while total > allowed:
        best: tuple[float, str, int] | None = None
        for group, width in widths.items():
            if width <= chunk:
                continue
            cheapest = order[group][gone[group] : gone[group] + chunk]
            saved = total - equation_1(shapes, {**widths, group: width - chunk})
            worth = float(scores[group][cheapest].sum()) / saved
            if best is None or worth < best[0]:
                best = worth, group, saved
        if best is None:
            break
        _, group, saved = best
        widths[group] -= chunk
        gone[group] += chunk
        total -= saved
    return {group: np.sort(order[group][gone[group] :]) for group in widths}


def narrowed(options: NetworkOptions, kept: Kept) -> NetworkOptions:
    """The options of the network that has only the kept channels."""
    groups = published_widths(options.middle_blocks)
    return replace(options, widths=tuple(len(kept[group]) for group in groups))


def slices(network: Any, options: NetworkOptions, kept: Kept) -> list[tuple[np.ndarray, ...] | None]:
    """What to take of each variable of a network, in its order: indices for np.ix_, None for all."""
    full = {**kept, INPUT: np.arange(1), LOGITS: np.arange(7)}
    shapes = {shape.name: shape for shape in layer_shapes(options.middle_blocks)}
    out: list[tuple[np.ndarray, ...] | None] = []
    for variable in network.variables:
        layer, _, kind = variable.path.rpartition("/")
        shape = shapes.get(layer.removesuffix("_bn"))
        if shape is None:  # a seed, not a weight
            out.append(None)
        elif kind != "kernel":
            out.append((full[shape.target],))
        elif len(variable.shape) == 2:
            out.append((full[shape.source], full[shape.target]))
        else:
            window = np.arange(variable.shape[0])
            ends = (full[shape.source], np.arange(1) if shape.depthwise else full[shape.target])
            out.append((window, window, *ends))
    return out


def cut(values: Sequence[torch.Tensor], picks: Sequence[tuple[np.ndarray, ...] | None]) -> list[torch.Tensor]:
    """The kept part of every tensor."""
    return [
        value if pick is None else value[np.ix_(*pick)].clone()
        for value, pick in zip(values, picks, strict=True)
    ]
