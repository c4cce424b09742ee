"""Train on several CPU cores with a process for each: every step they share one averaged gradient.

Two processes of one thread beat one process of two threads: 473 against 412 images/s on two idle cores
(batch 128, bf16), and more beside other work, because they meet once a step and not in every layer.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

import torch

from lightfer_ros.errors import LightferError


@dataclass(frozen=True)
class Exchange:
    """One worker's end. rank: 0 to count − 1; 0 is the process that was started by the user.

    rows: float32 [2, count, parameters], shared. Even and odd steps use different halves, so that one
    meeting a step is enough: nobody writes a half before all have read it.
    """

    rank: int
    count: int
    rows: torch.Tensor
    barrier: Any

    def average(self, parameters: Sequence[torch.Tensor], step: int) -> None:
        """Replace every gradient by its mean over all workers; waits for them."""
        gradients = [p.grad.reshape(-1) for p in parameters if p.grad is not None]
        half = self.rows[step % 2, :, : sum(map(len, gradients))]  # fewer once channels were removed
        torch.cat(gradients, out=half[self.rank])
        try:
            self.barrier.wait()
        except threading.BrokenBarrierError:
            raise LightferError(
                "a training worker died; --resume goes on after the last epoch in last.pt"
            ) from None
        mean, at = half.mean(0), 0
        for p in parameters:
            if p.grad is not None:
                p.grad.copy_(mean[at : at + p.numel()].view_as(p))
                at += p.numel()


def start(
    count: int, parameters: int, body: Callable[..., None], arguments: Sequence[Any]
) -> tuple[Exchange, list[BaseProcess]]:
    """Start `count` − 1 helpers that run `body(exchange, *arguments)`; return the caller's own end and them.

    Helpers die with the caller, and the caller's next `average` raises LightferError when a helper dies.
    """
    context = multiprocessing.get_context("spawn")
    rows: torch.Tensor = torch.zeros(2, count, parameters)
    rows.share_memory_()
    barrier = context.Barrier(count)
    ends = [Exchange(rank, count, rows, barrier) for rank in range(count)]
    helpers: list[BaseProcess] = [
        context.Process(target=_helper, args=(end, body, tuple(arguments)), daemon=True) for end in ends[1:]
    ]
    for helper in helpers:
        helper.start()
    threading.Thread(target=_watch, args=(helpers, barrier), daemon=True).start()
    return ends[0], helpers


def _helper(end: Exchange, body: Callable[..., None], arguments: Sequence[Any]) -> None:
    threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()
    body(end, *arguments)


def _die_with_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _watch(helpers: Sequence[BaseProcess], barrier: Any) -> None:
    while all(helper.is_alive() for helper in helpers):
        time.sleep(1.0)
    if any(helper.exitcode for helper in helpers):
        barrier.abort()
