"""What rounding weights to b bits by Eqs. 2–4 changes in a network, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lightfer_ros.compression.graph import Conv, Network, Operation
from lightfer_ros.compression.quantize import quantize


@dataclass(frozen=True)
class LayerError:
    """signal_to_noise_db: power of the weights over power of their rounding errors; infinite for none."""

    name: str
    weights: int
    scales: int
    signal_to_noise_db: float


def rounded(network: Network, bits: int, per_channel: bool = True) -> tuple[Network, list[LayerError]]:
    """The network with the kernels of its convolutions on b-bit grids, in float, and each one's error.

    per_channel: one scale for every output channel, else one for the whole kernel. Biases and the dense
    layer stay as they are, as in our 8-bit files. Raises ConfigurationError for bits outside 2 to 16.
    """
    changed: dict[str, Operation] = {}
    errors = []
    for op in network.operations:
        if isinstance(op, Conv):
            quantized = quantize(op.kernel, bits, axis=0 if per_channel else None)
            kernel = quantized.dequantize().astype(np.float32)
            changed[op.name] = replace(op, kernel=kernel)
            errors.append(_error(op, kernel, quantized.scale.size))
    return network.with_operations(changed), errors


def table(errors: Sequence[LayerError], worst: int = 8) -> str:
    """The layers that lose most, worst first, as text."""
    lines = [f"{'layer':<22}{'weights':>10}{'scales':>8}{'signal to noise':>18}"]
    for e in sorted(errors, key=lambda e: e.signal_to_noise_db)[:worst]:
        lines.append(f"{e.name:<22}{e.weights:>10}{e.scales:>8}{e.signal_to_noise_db:>15.1f} dB")
    return "\n".join(lines)


def _error(op: Conv, kernel: np.ndarray, scales: int) -> LayerError:
    signal = float(np.square(op.kernel.astype(np.float64)).sum())
    noise = float(np.square(op.kernel.astype(np.float64) - kernel).sum())
    db = 10.0 * np.log10(signal / noise) if noise > 0 and signal > 0 else float("inf")
    return LayerError(op.name, int(op.kernel.size), int(scales), float(db))
