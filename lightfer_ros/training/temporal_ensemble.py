"""Temporal ensembling: what the network itself thought of a face in past epochs becomes part of its target.

FER2013's labels are noisy: people agree with them on two faces in three. A network's answers, averaged over
many epochs and their augmentations, know more of a face than its one label (Laine & Aila 2017,
arXiv:1610.02242), and cost nothing: they are there anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from lightfer_ros.model import EMOTIONS
from lightfer_ros.training.limits import BELOW_ONE, within


@dataclass(frozen=True)
class EnsembleOptions:
    """share: of the averaged answers in a target; 0 turns it off. momentum: of the average, per epoch.

    Answers are collected from `first_epoch` on (counted from 1) and used from the epoch after.
    """

    share: float = 0.0
    first_epoch: int = 20
    momentum: float = 0.8

    def __post_init__(self) -> None:
        within("ensemble", self, share=BELOW_ONE, momentum=BELOW_ONE)


class TemporalEnsemble:
    """The running average for every training face; workers share one, as each face is seen once an epoch."""

    def __init__(self, options: EnsembleOptions, faces: int, device: str | torch.device = "cpu") -> None:
        self.options = options
        self.sums = torch.zeros(faces if options.share else 0, len(EMOTIONS), device=device)
        if self.sums.device.type == "cpu":
            self.sums.share_memory_()

    def blend(self, targets: torch.Tensor, chosen: torch.Tensor, epoch: int) -> torch.Tensor:
        """targets float32 [n, 7] of the faces `chosen`, with their averaged answers blended in.

        epoch: counted from 1. Faces that were never answered for keep their targets: the last, incomplete
        batch of an epoch is left out.
        """
        if not self.options.share or epoch <= self.options.first_epoch:
            return targets
        sums = self.sums[chosen]
        total = sums.sum(1, keepdim=True)
        share = self.options.share * (total > 0).float()
        return (1.0 - share) * targets + share * sums / total.clamp_min(1e-6)

    def observe(self, probabilities: torch.Tensor, chosen: torch.Tensor, epoch: int) -> None:
        """Take in this epoch's answers float32 [n, 7] for the faces `chosen`."""
        if self.options.share and epoch >= self.options.first_epoch:
            self.sums[chosen] = self.sums[chosen].lerp(probabilities, 1.0 - self.options.momentum)
