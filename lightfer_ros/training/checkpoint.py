"""A training run frozen to one file between two epochs, so that a killed run goes on unharmed."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lightfer_ros.errors import ModelError
from lightfer_ros.files import write_whole

VERSION = 3


@dataclass
class Checkpoint:
    """Everything that changes while training.

    network, average: values of each Keras variable, in the model's order. recipe: as `recipe.to_dict`.
    epoch: finished ones. step: finished ones. history: one row an epoch.
    ensemble: see `TemporalEnsemble.sums`; None in files of runs without. initial_sha256: of the checkpoint
    that the run began with, empty where it began at random. changes: what the recipe said otherwise before.
    """

    recipe: dict[str, Any]
    data_sha256: str
    epoch: int
    step: int
    seconds: float
    network: list[torch.Tensor]
    average: list[torch.Tensor]
    optimizers: list[dict[str, Any]]
    history: list[dict[str, float]] = field(default_factory=list)
    ensemble: torch.Tensor | None = None
    initial_sha256: str = ""
    changes: list[str] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all. Raises LightferError when the disk is full."""
        content = io.BytesIO()  # of a file of its own torch does not say why it could not be written
        torch.save({"version": VERSION, **self.__dict__}, content)
        write_whole(path, content.getvalue())

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint. Raises ModelError naming the file when it is missing, torn or foreign."""
        if not path.is_file():
            raise ModelError(f"{path} does not exist; expected a checkpoint of `lightfer train`")
        try:
            values = torch.load(path, map_location="cpu", weights_only=True)
            if values.pop("version") != VERSION:
                raise ModelError(f"{path}: checkpoint of another version, expected {VERSION}")
            return cls(**values)
        except ModelError:
            raise
        except Exception as error:  # torch raises many kinds for a torn or foreign file
            raise ModelError(f"{path}: not a checkpoint of `lightfer train`, or torn ({error})") from None


def restore_variables(model: Any, values: list[torch.Tensor], where: str) -> None:
    """Put saved values back. Raises ModelError naming the first variable that does not fit."""
    variables = model.variables
    if len(variables) != len(values):
        raise ModelError(
            f"{where}: holds {len(values)} variables, the network has {len(variables)}: another architecture"
        )
    for variable, value in zip(variables, values, strict=True):
        if tuple(variable.shape) != tuple(value.shape):
            raise ModelError(
                f"{where}: {variable.path} is {tuple(value.shape)}, expected {tuple(variable.shape)}: "
                "another architecture"
            )
    with torch.no_grad():
        for variable, value in zip(variables, values, strict=True):
            variable.value.data.copy_(value)


def variable_values(model: Any) -> list[torch.Tensor]:
    """A copy of every variable of a Keras model, on the CPU."""
    return [variable.value.detach().cpu().clone() for variable in model.variables]
