"""What learns: a network, its running average and their optimizer, which can lose channels together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from lightfer_ros.errors import ModelError
from lightfer_ros.training import magnitude
from lightfer_ros.training.architecture import build_network
from lightfer_ros.training.muon import Muon
from lightfer_ros.training.native import NATIVE
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.prune import Kept, cut, narrowed, slices
from lightfer_ros.training.schedule import average_decay

if TYPE_CHECKING:
    from lightfer_ros.training.recipe import OptimizerOptions


class Learner:
    """A network in training. `average` has the same layers and is what a run gives in the end."""

    def __init__(self, options: NetworkOptions, learning: OptimizerOptions) -> None:
        self.options, self.learning = options, learning
        self.network = build_network(options, NATIVE)
        self.average = build_network(options, NATIVE, "average")
        self.average.set_weights(self.network.get_weights())
        self.device = next(iter(self.network.parameters())).device
        # tensors, as whoever replays recorded steps sees no new value of a number
        self._rate = torch.zeros((), device=self.device)
        self._new_share = torch.zeros((), device=self.device)
        self.optimizers = _optimizers(self.network, learning, self._rate)
        self._masks: list[torch.Tensor] = []

    def set_rate(self, rate: float, count: int) -> None:
        """How far the next steps go; count: steps done before the next one, plus one."""
        self._rate.fill_(rate)
        self._new_share.fill_(1.0 - average_decay(count, self.learning.average_decay))

    def step(self) -> None:
        """Apply the gradients that are there."""
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.learning.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
        with torch.no_grad():
            if self._masks:
                torch._foreach_mul_(magnitude.kernels(self.network), self._masks)
            ours = [v.value.data for v in self.average.weights]
            news = torch._foreach_sub([v.value.data for v in self.network.weights], ours)
            torch._foreach_mul_(news, self._new_share)
            torch._foreach_add_(ours, news)

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)

    def restore_optimizers(self, saved: list[dict[str, Any]], where: str) -> None:
        """Take over what the optimizers of an earlier run knew. Raises ModelError for others than ours."""
        if len(saved) != len(self.optimizers):
            raise ModelError(
                f"{where}: holds the state of {len(saved)} optimizers, expected {len(self.optimizers)}"
                " (optimizer.muon differs, or this is best.pt: resume from last.pt)"
            )
        for optimizer, state in zip(self.optimizers, saved, strict=True):
            optimizer.load_state_dict(state)
            for group in optimizer.param_groups:
                group.update(lr=self._rate, capturable=self.device.type == "cuda")

    def hold_zeros(self) -> None:
        """Let weights that are zero now, if any, stay zero, in the average too."""
        if not magnitude.zeros(self.network):
            return
        self._masks = magnitude.masks(self.network)
        torch._foreach_mul_(magnitude.kernels(self.average), self._masks)

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
                for optimizer, successor in zip(self.optimizers, new.optimizers, strict=True):
                    state = optimizer.state.get(old.value)
                    if state:
                        successor.state[fresh.value] = _cut_state(state, old.value.shape, pick)
        return new


def _optimizers(model: Any, learning: OptimizerOptions, rate: torch.Tensor) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or Muon for the kernels that are matrices and AdamW for the rest."""
    matrices: list[torch.Tensor] = []
    kernels: list[torch.Tensor] = []
    plain: list[torch.Tensor] = []
    for variable in model.trainable_variables:
        shape = variable.shape
        if not variable.path.endswith("kernel"):
            plain.append(variable.value)
        elif learning.muon and len(shape) == 4 and shape[3] > 1:
            matrices.append(variable.value)
        else:
            kernels.append(variable.value)
    groups = [
        {"params": kernels, "weight_decay": learning.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            groups, lr=rate, betas=(0.9, learning.beta2), fused=True, capturable=rate.device.type == "cuda"
        )
    ]
    if matrices:
        optimizers.append(Muon(matrices, lr=rate, weight_decay=learning.weight_decay))
    return optimizers


def _cut_state(state: dict[str, Any], shape: torch.Size, pick: Any) -> dict[str, Any]:
    """What an optimizer remembers of a variable, for its kept channels."""
    shaped = {name: value for name, value in state.items() if value.shape == shape}
    moved = dict(zip(shaped, cut(list(shaped.values()), [pick] * len(shaped)), strict=True))
    return {**{name: value.clone() for name, value in state.items()}, **moved}
