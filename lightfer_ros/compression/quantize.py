"""Symmetric quantization exactly as the Light-FER paper's Eqs. 2–4 have it, for any number of bits.

    M = max |W|                      (Eq. 2)
    S = (2^b − 1) / (2 M)            (Eq. 3)
    Q = round(S W), clipped          (Eq. 4)

The paper clips to ±(2^b − 1)/2, which is no integer. The nearest integers inside are ±(2^(b−1) − 1), for 8
bits ±127, so that the grid is symmetric and fits a signed b-bit integer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightfer_ros.errors import ConfigurationError


@dataclass(frozen=True)
class Quantized:
    """Integers and what they mean: weight ≈ values / scale.

    values: int8 or int32, the shape of the weights. scale: S of Eq. 3, float64, broadcastable to values.
    """

    values: np.ndarray
    scale: np.ndarray
    bits: int

    def dequantize(self) -> np.ndarray:
        """The weights that the integers stand for, float64."""
        return np.asarray(self.values / self.scale)


def integer_limit(bits: int) -> int:
    """The largest integer of the grid, 2^(b−1) − 1. Raises ConfigurationError outside 2 to 16 bits."""
    if not 2 <= bits <= 16:
        raise ConfigurationError(f"quantization: bits is {bits}, expected 2 to 16")
    return int(2 ** (bits - 1) - 1)


def scales(weights: np.ndarray, bits: int, axis: int | None = None) -> np.ndarray:
    """S of Eq. 3: one value, or one per index along `axis` (an output channel), kept broadcastable.

    Where all weights are zero any scale is right; 1 is given. So it is where weights are so small that S
    would overflow float64: they become zeros.
    """
    integer_limit(bits)
    others: tuple[int, ...] | None = None
    if axis is not None:
        axis = axis % weights.ndim
        others = tuple(i for i in range(weights.ndim) if i != axis)
    largest = np.abs(weights.astype(np.float64)).max(axis=others, keepdims=True, initial=0.0)
    with np.errstate(divide="ignore", over="ignore"):
        scale = (2.0**bits - 1.0) / (2.0 * largest)
    return np.where(np.isfinite(scale), scale, 1.0)


def quantize(
    weights: np.ndarray, bits: int = 8, axis: int | None = None, scale: np.ndarray | None = None
) -> Quantized:
    """Eqs. 2–4. axis: quantize each index along it by its own scale; None: one scale for the whole tensor.

    scale: use this S instead of Eq. 3's, as for values that were quantized before. Raises
    ConfigurationError for bits outside 2 to 16 or weights that are not finite.

    Inside the grid the error is at most 1 / (2 S). Eq. 3 maps M to (2^b − 1)/2, half a step outside the
    integer grid, so the very largest weights are clipped there: by half a step too.
    """
    if not np.isfinite(weights).all():
        raise ConfigurationError("quantization: weights hold NaN or infinity, expected finite numbers")
    limit = integer_limit(bits)
    scale = scales(weights, bits, axis) if scale is None else np.asarray(scale, np.float64)
    rounded = np.rint(scale * weights.astype(np.float64))
    values = np.clip(rounded, -limit, limit).astype(np.int8 if bits <= 8 else np.int32)
    return Quantized(values, scale, bits)
