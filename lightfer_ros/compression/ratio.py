"""How much smaller a network is: the Light-FER paper's compression ratio R (Eq. 1), per layer and in total.

    R = Σ U_{w,f,c}(i) / Σ P_{w,f,c}(i)

U is the uncompressed network, P the pruned one; per layer i: w weights (kernel and bias, batch
normalization folded), f filters (output channels), c channels (input channels).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightfer_ros.compression.graph import Conv, Dense, Network


@dataclass(frozen=True)
class LayerCount:
    """weights, filters and channels as in Eq. 1; macs: multiply-accumulates for one face."""

    name: str
    weights: int
    filters: int
    channels: int
    macs: int

    @property
    def total(self) -> int:
        """w + f + c."""
        return self.weights + self.filters + self.channels


@dataclass(frozen=True)
class Comparison:
    """uncompressed and pruned: counts by layer name. A layer that was removed is absent from `pruned`."""

    uncompressed: dict[str, LayerCount]
    pruned: dict[str, LayerCount]

    @property
    def ratio(self) -> float:
        """R of Eq. 1 over all layers."""
        return sum(c.total for c in self.uncompressed.values()) / sum(c.total for c in self.pruned.values())

    @property
    def comparable(self) -> bool:
        """Whether the pruned network has layers of the uncompressed one only, as R presupposes."""
        return set(self.pruned) <= set(self.uncompressed)

    def layer_ratio(self, name: str) -> float:
        """U / P of one layer; infinite where it was removed."""
        pruned = self.pruned.get(name)
        return self.uncompressed[name].total / pruned.total if pruned else float("inf")

    def table(self) -> str:
        """One line per layer and a total, as text."""
        head = f"{'layer':<22}{'weights':>22}{'filters':>14}{'channels':>14}{'R':>8}"
        lines = [head]
        for name, u in self.uncompressed.items():
            p = self.pruned.get(name, LayerCount(name, 0, 0, 0, 0))
            pairs = ((u.weights, p.weights), (u.filters, p.filters), (u.channels, p.channels))
            cells = [f"{before} → {after}" for before, after in pairs]
            lines.append(
                f"{name:<22}{cells[0]:>22}{cells[1]:>14}{cells[2]:>14}{self.layer_ratio(name):>8.2f}"
            )
        macs = [sum(c.macs for c in side.values()) / 1e6 for side in (self.uncompressed, self.pruned)]
        lines.append(f"R = {self.ratio:.2f} in total; {macs[0]:.0f} → {macs[1]:.0f} MMACs")
        return "\n".join(lines)


def count_layers(network: Network) -> dict[str, LayerCount]:
    """Eq. 1's counts and the multiply-accumulates of each layer with weights."""
    shapes = network.shapes()
    out: dict[str, LayerCount] = {}
    for op in network.operations:
        if isinstance(op, Conv):
            places = int(np.prod(shapes[op.name][1:]))
            filters, channels = op.kernel.shape[0], op.kernel.shape[1] * op.groups
        elif isinstance(op, Dense):
            places, (channels, filters) = 1, op.kernel.shape
        else:
            continue
        weights = int(op.kernel.size + (op.bias.size if op.bias.any() else 0))
        out[op.name] = LayerCount(op.name, weights, filters, channels, int(op.kernel.size) * places)
    return out


def compare(uncompressed: dict[str, LayerCount], pruned: Network) -> Comparison:
    """R of `pruned` against the counts of an uncompressed network, layers matched by name."""
    return Comparison(uncompressed, count_layers(pruned))
