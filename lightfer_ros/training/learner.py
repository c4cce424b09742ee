"""What learns: a network, its running average and their optimizer, which can lose channels together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lightfer_ros.training.native import NATIVE
from lightfer_ros.training.network import NetworkOptions, build_xception
from lightfer_ros.training.prune import Kept, cut, narrowed, slices
from lightfer_ros.training.schedule import average_decay

if TYPE_CHECKING:
    from lightfer_ros.training.recipe import OptimizerOptions

MOMENTS = ("exp_avg", "exp_avg_sq")


class Learner:
    """A network in training. `average` has the same layers and is what a run gives in the end."""

    def __init__(self, options: NetworkOptions, learning: OptimizerOptions) -> None:
        self.options, self.learning = options, learning
        self.network = build_xception(options, NATIVE)
        self.average = build_xception(options, NATIVE, "average")
        self.average.set_weights(self.network.get_weights())
        self.optimizer = torch.optim.AdamW(
            _groups(self.network, learning.weight_decay), betas=(0.9, learning.beta2), fused=True
        )

    def step(self, rate: float, count: int) -> None:
        """Apply the gradients that are there; count: steps done before this one, plus one."""
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.learning.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        keep = average_decay(count, self.learning.average_decay)
        with torch.no_grad():
            ours = [v.value.data for v in self.average.weights]
            theirs = [v.value.data for v in self.network.weights]
            torch._foreach_lerp_(ours, theirs, 1.0 - keep)

    def narrow(self, kept: Kept) -> Learner:
        """A learner with only the kept channels, going on from here: weights, average, moments."""
        new = Learner(narrowed(self.options, kept), self.learning)
        picks = slices(self.network, self.options, kept)
        with torch.no_grad():
            for old_model, new_model in ((self.network, new.network), (self.average, new.average)):
                values = cut([v.value.detach() for v in old_model.variables], picks)
                for variable, value in zip(new_model.variables, values, strict=True):
                    variable.value.data.copy_(value)
            for old, fresh, pick in zip(self.network.variables, new.network.variables, picks, strict=True):
                state = self.optimizer.state.get(old.value)
                if state:
                    moved = cut([state[name] for name in MOMENTS], [pick] * len(MOMENTS))
                    moments = dict(zip(MOMENTS, moved, strict=True))
                    new.optimizer.state[fresh.value] = {"step": state["step"].clone(), **moments}
        return new


def _groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    decayed: list[torch.Tensor] = []
    plain: list[torch.Tensor] = []
    for variable in model.trainable_variables:
        (decayed if variable.path.endswith("kernel") else plain).append(variable.value)
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]
