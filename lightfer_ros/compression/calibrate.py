"""Which range of values each tensor takes on real faces, so that eight bits can be laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lightfer_ros.compression.graph import MaxPool, Network, Relu
from lightfer_ros.compression.running import every_tensor
from lightfer_ros.errors import ConfigurationError

METHODS = ("minmax", "percentile", "entropy")
BINS = 2048
LEVELS = 256


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high` are kept apart, values outside are clipped. 0 always lies inside."""

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", min(0.0, float(self.low)))
        object.__setattr__(self, "high", max(0.0, float(self.high)))

    def unsigned(self) -> tuple[np.float32, np.uint8]:
        """Scale and zero point of uint8 over this range."""
        step = max((self.high - self.low) / 255.0, 1e-8)
        return np.float32(step), np.uint8(np.clip(round(-self.low / step), 0, 255))

    def symmetric(self) -> np.float32:
        """Scale of int8 with zero point 0."""
        step: np.float32 = np.float32(max(self.high, -self.low, 1e-6) / 127.0)
        return step


def calibrate(
    network: Network, faces: np.ndarray, method: str = "minmax", percentile: float = 99.99
) -> dict[str, Range]:
    """The range of every map, by name.

    faces: float32 [n, 1, s, s], training faces as the network is fed them. method: "minmax" keeps all that
    was seen; "percentile" keeps this share of the values on each side of 0 that has any; "entropy" clips
    where the distribution of the kept values differs least from what was seen (Migacz 2017, 8-bit
    Inference with TensorRT). Raises ConfigurationError for any other method or no faces.
    """
    if method not in METHODS:
        raise ConfigurationError(f"calibration: method is {method!r}, expected one of {', '.join(METHODS)}")
    if not len(faces):
        raise ConfigurationError("calibration: no faces were given, expected some hundred")
    ranges = _extremes(network, faces)
    if method == "minmax":
        return ranges
    histograms = {name: np.zeros(BINS) for name in ranges}
    edges = {name: np.linspace(r.low, max(r.high, r.low + 1e-6), BINS + 1) for name, r in ranges.items()}
    for tensors in every_tensor(network, faces):
        for name, values in tensors.items():
            histograms[name] += np.histogram(values, edges[name])[0]
    if method == "percentile":
        return {n: _percentile(histograms[n], edges[n], percentile) for n in ranges}
    return {n: _entropy(histograms[n], edges[n]) for n in ranges}


def shared(network: Network, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """The ranges as integer kernels want them: a pool has its input's, a ReLU begins at 0.

    A pool only picks values, so one scale serves both sides of it.
    """
    out = dict(ranges)
    for op in network.operations:
        if isinstance(op, MaxPool):
            out[op.name] = out[op.inputs[0]]
        if isinstance(op, Relu):
            out[op.name] = Range(0.0, out[op.name].high)
    return out


def channel_extremes(network: Network, faces: np.ndarray) -> dict[str, np.ndarray]:
    """The largest magnitude in each channel of every map: float32 [c], by name."""
    out: dict[str, np.ndarray] = {}
    for tensors in every_tensor(network, faces):
        for name, values in tensors.items():
            largest = np.abs(values).max((0, 2, 3))
            out[name] = np.maximum(out[name], largest) if name in out else largest
    return out


def _extremes(network: Network, faces: np.ndarray) -> dict[str, Range]:
    out: dict[str, Range] = {}
    for tensors in every_tensor(network, faces):
        for name, values in tensors.items():
            low, high = float(values.min()), float(values.max())
            if name in out:
                low, high = min(low, out[name].low), max(high, out[name].high)
            out[name] = Range(low, high)
    return out


def _percentile(histogram: np.ndarray, edges: np.ndarray, percentile: float) -> Range:
    below = np.cumsum(histogram) / max(1.0, histogram.sum())
    cut = (100.0 - percentile) / 100.0
    low = edges[int(np.searchsorted(below, cut, side="right"))] if edges[0] < 0 else 0.0
    high = edges[min(BINS, int(np.searchsorted(below, 1.0 - cut)) + 1)]
    return Range(low, high)


def _entropy(histogram: np.ndarray, edges: np.ndarray) -> Range:
    best, chosen = np.inf, Range(edges[0], edges[-1])
    for share in np.linspace(0.3, 1.0, 36):
        low, high = edges[0] * share, edges[-1] * share
        inside = (edges[:-1] >= low) & (edges[1:] <= high)
        divergence = _divergence(histogram, inside)
        if divergence < best:
            best, chosen = divergence, Range(low, high)
    return chosen


def _divergence(histogram: np.ndarray, inside: np.ndarray) -> float:
    """Kullback-Leibler divergence of the clipped, quantized histogram from the seen one."""
    first, last = np.flatnonzero(inside)[[0, -1]]
    kept = histogram[first : last + 1]
    if kept.sum() == 0:
        return float(np.inf)
    seen = kept.copy()
    seen[0] += histogram[:first].sum()
    seen[-1] += histogram[last + 1 :].sum()
    level = np.arange(len(kept)) * LEVELS // len(kept)
    filled = kept > 0
    total = np.bincount(level, kept, LEVELS)
    count = np.maximum(np.bincount(level, filled, LEVELS), 1)
    model = np.where(filled, (total / count)[level], 0.0)
    p, q = seen / seen.sum(), model / model.sum()
    tiny = 1e-10  # bins that only clipping fills would else diverge without bound
    return float((p[p > 0] * np.log(p[p > 0] / np.maximum(q[p > 0], tiny))).sum())
