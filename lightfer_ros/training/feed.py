"""Batches for the training loop: faces augmented, mixed, with what teachers say of them in their targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from lightfer_ros.model import Normalization
from lightfer_ros.training.augment import Augmenter
from lightfer_ros.training.data import TrainingData
from lightfer_ros.training.step import Batch
from lightfer_ros.training.targets import face_weights
from lightfer_ros.training.teacher import Teachers
from lightfer_ros.training.temporal_ensemble import TemporalEnsemble

NORMALIZATION = Normalization(scale=2.0 / 255.0, offset=-1.0)
"""What our networks are fed: pixel values from −1 to 1."""
AT_ONCE_ON_GPU = 4096
"""Faces that a GPU prepares together, as many batches as they make: it is asked for less often."""


class Feed:
    """The training faces on the device that learns, and what is done to them on their way."""

    def __init__(
        self,
        data: TrainingData,
        class_balance: float,
        augmenter: Augmenter,
        teachers: Teachers,
        ensemble: TemporalEnsemble,
        at_once: int | None = None,
    ) -> None:
        """at_once: faces that are prepared together, a batch at least; by default AT_ONCE_ON_GPU there."""
        self.device = augmenter.device
        self.augmenter, self.teachers, self.ensemble = augmenter, teachers, ensemble
        self.at_once = at_once or (1 if self.device.type == "cpu" else AT_ONCE_ON_GPU)
        self.images = torch.from_numpy(data.images.copy()).to(self.device)
        self.targets = torch.from_numpy(data.targets).to(self.device)
        self.weights = torch.from_numpy(face_weights(data.targets, class_balance)).to(self.device)

    def batches(self, order: Sequence[torch.Tensor], epoch: int) -> Iterator[Batch]:
        """A batch for each of `order`, int64 indices on the CPU; epoch: counted from 1."""
        together = max(1, self.at_once // max(map(len, order), default=1))
        for i in range(0, len(order), together):
            parts = order[i : i + together]
            everyone = torch.cat(list(parts))
            where = everyone.to(self.device)
            pictures = self.augmenter(self.images[where])
            targets = self.ensemble.blend(self.targets[where], where, epoch)
            pictures, targets, weights = self.augmenter.mixed(pictures, targets, self.weights[where])
            inputs = to_input(pictures)
            targets = self.teachers.blend(targets, inputs, everyone, epoch)
            sizes = [len(part) for part in parts]
            whole = (where, inputs, targets, weights)
            for batch in zip(*(values.split(sizes) for values in whole), strict=True):
                yield Batch(*batch)


def to_input(fractions: torch.Tensor) -> torch.Tensor:
    """Pixel values as fractions, float32 [n, s, s] → what networks are fed, [n, s, s, 1]."""
    return (fractions * (NORMALIZATION.scale * 255.0) + NORMALIZATION.offset)[..., None]
