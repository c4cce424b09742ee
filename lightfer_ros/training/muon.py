"""Muon: steps for convolution kernels in which every direction counts the same.

The momentum of a kernel, seen as a matrix of inputs × outputs, is replaced by the orthogonal matrix nearest
to it (K. Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks"), and scaled so that
its entries are as large as AdamW's usually are (Liu et al. 2025, arXiv:2502.16982): one rate serves both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

QUINTIC = (3.4445, -4.7750, 2.0315)
"""The iteration's polynomial: drives singular values to about 1 within five rounds."""
ADAMW_SIZE = 0.2
"""Root mean square of AdamW's usual step, in units of the learning rate (Liu et al. 2025, 2.2)."""


class Muon(torch.optim.Optimizer):
    """For kernels [height, width, inputs, outputs] of ordinary convolutions; not for depthwise ones."""

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float | torch.Tensor = 1e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.05,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    def step(self, closure: Any = None) -> None:
        """Apply the gradients that are there."""
        with torch.no_grad():
            for group in self.param_groups:
                alike: dict[torch.Size, list[torch.Tensor]] = {}
                for kernel in group["params"]:
                    if kernel.grad is not None:
                        alike.setdefault(kernel.shape, []).append(kernel)
                for kernels in alike.values():
                    self._move(kernels, group)

    def _move(self, kernels: list[torch.Tensor], group: dict[str, Any]) -> None:
        """Step kernels of one shape, in batched products."""
        momenta = [self._momentum(kernel, group["momentum"]) for kernel in kernels]
        matrices = orthogonal(torch.stack(momenta).flatten(1, 3))
        size = ADAMW_SIZE * max(matrices.shape[1:]) ** 0.5
        for kernel, matrix in zip(kernels, matrices, strict=True):
            kernel.mul_(1.0 - group["lr"] * group["weight_decay"])
            kernel.sub_(matrix.view(kernel.shape) * (group["lr"] * size))

    def _momentum(self, kernel: torch.Tensor, keep: float) -> torch.Tensor:
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        assert kernel.grad is not None
        state["momentum"].lerp_(kernel.grad, 1.0 - keep)
        return kernel.grad.lerp(state["momentum"], keep)  # Nesterov's look ahead


def orthogonal(matrices: torch.Tensor, rounds: int = 5) -> torch.Tensor:
    """Float32 [k, a, b] → the orthogonal matrices nearest to them, roughly: singular values 0.7 to 1.2.

    Newton-Schulz iteration in bfloat16, which needs products only.
    """
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = QUINTIC
    for _ in range(rounds):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).float()
