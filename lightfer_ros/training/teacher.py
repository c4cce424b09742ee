"""Trained networks as teachers: what they say of a face, as the pupil sees it, becomes part of its target.

Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531). Teacher and pupil see the same augmented
picture, epoch after epoch: worth more than answers given once (Beyer et al. 2022, arXiv:2106.05237).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from lightfer_ros.errors import ModelError
from lightfer_ros.model.metadata import sha256_of
from lightfer_ros.training.architecture import restored_network
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.limits import SHARE, within
from lightfer_ros.training.native import NATIVE, mixed_precision

AT_ONCE = 512
"""Faces in a teacher's batch. Keras holds all maps of a forward pass, some 6 MB a face."""


@dataclass(frozen=True)
class TeacherOptions:
    """runs: checkpoints of `lightfer train` (last.pt). share: of their answers in a target.

    Each face is looked at by one teacher, by the next one in the next epoch: in the long run that is their
    mean, at the price of one.
    """

    runs: tuple[str, ...] = ()
    share: float = 0.7

    def __post_init__(self) -> None:
        within("teachers", self, share=SHARE)


class Teachers:
    """The teachers' averaged networks, in evaluation mode. sha256: of each one's checkpoint, by its path."""

    def __init__(self, options: TeacherOptions, input_size: int, precision: str) -> None:
        """Raises ModelError for a torn checkpoint or one of another input size."""
        self.options, self.precision = options, precision
        self.networks = [_network(Path(run), input_size) for run in options.runs]
        self.sha256 = {run: sha256_of(Path(run)) for run in options.runs}

    def blend(
        self, targets: torch.Tensor, inputs: torch.Tensor, chosen: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Targets float32 [n, 7] with the teachers' share in them.

        inputs: float32 [n, s, s, 1], as the pupil gets them. chosen: int64 [n], which faces they are, on the
        CPU; epoch: counted from 1. Those two decide who looks at whom.
        """
        if not self.networks:
            return targets
        said = torch.empty_like(targets)
        whose = (chosen + epoch) % len(self.networks)
        with torch.no_grad(), mixed_precision(inputs.device, self.precision):
            for i, network in enumerate(self.networks):
                for where in torch.nonzero(whose == i)[:, 0].to(inputs.device).split(AT_ONCE):
                    if len(where):
                        said[where] = network(inputs[where], training=False).float().softmax(1)
        return targets.lerp(said, self.options.share)


def _network(path: Path, input_size: int) -> Any:
    network = restored_network(Checkpoint.load(path), str(path), NATIVE)
    size = network.input_shape[1]
    if size != input_size:
        raise ModelError(f"{path}: looks at faces of {size} pixels, expected {input_size}")
    return network
