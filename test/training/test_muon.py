"""Muon's steps: orthogonal, as large as AdamW's, for kernels only, and none of it lost in a checkpoint."""

from __future__ import annotations

import pytest
import torch

from lightfer_ros.training.muon import ADAMW_SIZE, Muon, orthogonal


@pytest.mark.parametrize("shape", [(3, 24, 24), (1, 9, 16), (2, 48, 16)])
def test_singular_values_come_near_to_one(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert values.max() < 1.3
    assert (
        values[:, : min(shape[1:]) * 3 // 4].min() > 0.5
    )  # the smallest of a random square matrix are near 0


def test_directions_are_kept():
    torch.manual_seed(0)
    matrix = torch.randn(1, 16, 16)
    left, _, right = torch.linalg.svd(matrix)
    inside = left.mT @ orthogonal(matrix) @ right.mT
    off = inside - torch.diag_embed(inside.diagonal(dim1=1, dim2=2))
    assert off.abs().max() < 0.1


def test_a_step_is_as_large_as_adamw_would_take_whatever_the_gradient():
    for gradient in (1e-6, 1e3):
        kernel = torch.nn.Parameter(torch.zeros(1, 1, 32, 32))
        torch.manual_seed(1)
        kernel.grad = torch.randn_like(kernel) * gradient
        Muon([kernel], lr=0.01).step()
        size = float(kernel.detach().square().mean().sqrt())
        assert size == pytest.approx(0.01 * ADAMW_SIZE, rel=0.25)


def test_it_goes_downhill_and_decays_what_no_gradient_holds():
    torch.manual_seed(2)
    goal = torch.randn(3, 3, 4, 8)
    kernel = torch.nn.Parameter(torch.zeros_like(goal))
    muon = Muon([kernel], lr=0.05, weight_decay=0.0)
    first = float((kernel.detach() - goal).square().mean())
    for _ in range(200):
        muon.zero_grad()
        (kernel - goal).square().mean().backward()
        muon.step()
    assert float((kernel.detach() - goal).square().mean()) < 0.05 * first
    kernel.grad = torch.zeros_like(kernel)
    before = kernel.detach().abs().sum()
    Muon([kernel], lr=0.1, weight_decay=0.5).step()
    assert float(kernel.detach().abs().sum() / before) == pytest.approx(0.95, rel=1e-3)
