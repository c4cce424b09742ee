"""Learning rate and weight-averaging over time: warm up, stay, decay. A pure function of the step."""

from __future__ import annotations

from dataclasses import dataclass

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.limits import COUNT, NOT_NEGATIVE, POSITIVE, SHARE, within


@dataclass(frozen=True)
class ScheduleOptions:
    """Warm-up to `peak`, a plateau, then a decay over the last `decay_epochs` to `floor` · peak.

    A finished run can be extended: go back to the checkpoint at the end of its plateau, give more
    epochs, and only the decay is run again. The decay goes as 1 − √progress (Hägele et al. 2024,
    arXiv:2405.18392), which beat a straight line there.
    """

    epochs: int = 60
    warmup_epochs: float = 2.0
    decay_epochs: float = 20.0
    peak: float = 2e-3
    floor: float = 0.001

    def __post_init__(self) -> None:
        within("schedule", self, epochs=COUNT, warmup_epochs=NOT_NEGATIVE, peak=POSITIVE, floor=SHARE)
        if not 0 <= self.decay_epochs <= self.epochs:
            raise ConfigurationError(
                f"schedule: decay_epochs is {self.decay_epochs}, expected 0 to epochs ({self.epochs})"
            )

    def learning_rate(self, epoch: float) -> float:
        """The rate at a point in time, in epochs since the start; fractions count."""
        decay_from = self.epochs - self.decay_epochs
        rate = 1.0
        if self.decay_epochs and epoch > decay_from:
            progress = min(1.0, (epoch - decay_from) / self.decay_epochs)
            rate = self.floor + (1.0 - self.floor) * (1.0 - progress**0.5)
        if epoch < self.warmup_epochs:
            rate = min(rate, (epoch + 1e-3) / self.warmup_epochs)
        return self.peak * rate

    def plateau_ends(self, epoch: int) -> bool:
        """Whether the plateau ends with this epoch (counted from 1): the place to branch from later."""
        return epoch == int(self.epochs - self.decay_epochs)


def average_decay(step: int, target: float) -> float:
    """How much of the running average a step keeps: low at first, so that it forgets the random start."""
    return min(target, (1.0 + step) / (10.0 + step))
