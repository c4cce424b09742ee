"""One training step: forward, backward, optimizer, average. On a GPU it is recorded once and replayed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from lightfer_ros.training.learner import Learner
from lightfer_ros.training.native import mixed_precision

WARM_UP = 3
"""Steps before recording: until then optimizers make their state and kernels are loaded."""


@dataclass(frozen=True)
class Batch:
    """Faces for one step, on the device. chosen: int64 [n], their indices.

    inputs: float32 [n, s, s, 1], as the network is fed. targets: float32 [n, 7]. weights: float32 [n].
    """

    chosen: Tensor
    inputs: Tensor
    targets: Tensor
    weights: Tensor


class Step:
    """The work of one step for a learner, whose widths stay as they are.

    A step is some 500 small kernels, and Python takes longer to ask for them than a GPU to run them. So there
    they are recorded as a CUDA graph (pytorch.org, CUDA semantics, "CUDA graphs") and replayed on the same
    memory. All batches must then have one size.
    """

    def __init__(self, learner: Learner, precision: str, after_backward: Callable[[], None]) -> None:
        """precision: bf16 or fp32. after_backward: called, or recorded, between backward and optimizer."""
        self.learner, self.precision, self.after_backward = learner, precision, after_backward
        self.done = 0
        self.on_gpu = learner.device.type == "cuda"
        self._graph: torch.cuda.CUDAGraph | None = None
        self._stream = torch.cuda.Stream() if self.on_gpu else None

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Learn from a batch. Returns the mean loss and the logits [n, 7], both valid until the next call."""
        self.done += 1
        if not self.on_gpu:
            return self._work(batch)
        if self.done <= WARM_UP:
            return self._aside(batch)
        if self._graph is None:
            self._record(batch)
        assert self._graph is not None
        for kept, new in zip(self._held, (batch.inputs, batch.targets, batch.weights), strict=True):
            kept.copy_(new)
        self._graph.replay()
        return self._results

    def _work(self, batch: Batch) -> tuple[Tensor, Tensor]:
        with mixed_precision(self.learner.device, self.precision):
            logits = self.learner.network(batch.inputs, training=True)
        losses = F.cross_entropy(logits.float(), batch.targets, reduction="none")
        loss = (losses * batch.weights).mean()
        self.learner.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        self.after_backward()
        self.learner.step()
        return loss.detach(), logits.detach()

    def _aside(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The work on the stream that records later, as recording asks for."""
        assert self._stream is not None
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            results = self._work(batch)
        torch.cuda.current_stream().wait_stream(self._stream)
        return results

    def _record(self, batch: Batch) -> None:
        self._held = tuple(t.clone() for t in (batch.inputs, batch.targets, batch.weights))
        held = Batch(batch.chosen, *self._held)
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=self._stream):
            self._results = self._work(held)
