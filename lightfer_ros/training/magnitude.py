"""Unstructured magnitude pruning during training: the smallest weights become zeros and stay where they are.

Nothing but a general-purpose compressor sees those zeros: the comparison that shows why channels are removed.
"""

from __future__ import annotations

from typing import Any

import torch


def kernels(model: Any) -> list[torch.Tensor]:
    """The kernels of all layers, as the model holds them, in its order."""
    return [v.value.data for v in model.trainable_variables if v.path.endswith("kernel")]


def zeros(model: Any) -> int:
    """How many weights of its kernels are zero."""
    return sum(int((kernel == 0).sum()) for kernel in kernels(model))


def masks(model: Any) -> list[torch.Tensor]:
    """1 where a weight of a kernel lives and 0 where it is zero, in the order of `kernels`."""
    return [(kernel != 0).to(kernel.dtype) for kernel in kernels(model)]


def smallest_to_zero(model: Any, count: int) -> None:
    """Set the `count` smallest weights of all kernels to zero, or all: one threshold for every layer."""
    count = min(count, sum(kernel.numel() for kernel in kernels(model)))
    if count < 1:
        return
    threshold = torch.cat([kernel.abs().flatten() for kernel in kernels(model)]).kthvalue(count).values
    for kernel in kernels(model):
        kernel.mul_(kernel.abs() > threshold)
