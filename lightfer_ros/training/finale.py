"""The end of a run: short runs from its weights on faces as they are, one a seed, and the mean of them all.

Augmentation teaches a network faces that it will seldom meet; a few epochs with little of it, at a low rate,
bring it back to those that it will (Touvron et al. 2019, arXiv:1906.06423). Runs that begin with the same
weights end in the same valley, so that the mean of their weights is a network too, and better than each of
them (model soups, Wortsman et al. 2022, arXiv:2203.05482).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch

from lightfer_ros.training.artifact import save_network
from lightfer_ros.training.checkpoint import Checkpoint, restore_variables
from lightfer_ros.training.loop import Trainer
from lightfer_ros.training.recipe import FinaleOptions, Recipe
from lightfer_ros.training.record import write_record
from lightfer_ros.training.run import LAST, NETWORK, say, train

FINALE = "finale.pt"

Options = TypeVar("Options")


def play(recipe: Recipe, folder: Path) -> None:
    """Go on from the finished run in `folder`, once for each seed of `recipe.finale`, and save the mean.

    The runs lie in `folder`/finale_SEED; one that was killed is resumed. `folder` gets finale.pt, and its
    network.keras and run.json become the mean's. Raises what `train` raises.
    """
    parts = [folder / f"finale_{seed}" for seed in recipe.finale.seeds]
    for seed, part in zip(recipe.finale.seeds, parts, strict=True):
        trainer = train(_part(recipe, seed, folder / LAST), part, resume=(part / LAST).is_file())
    finished = Checkpoint.load(folder / LAST)
    mean = replace(finished, average=mean_weights(parts), optimizers=[], ensemble=None)
    mean.epoch += trainer.epoch
    mean.history = [*finished.history, _scored(trainer, mean.average)]
    mean.save(folder / FINALE)
    save_network(folder / FINALE, folder / NETWORK)
    seconds = sum(row["seconds"] for row in finished.history) + len(parts) * trainer.seconds
    write_record(folder, recipe, trainer.data, seconds, mean.epoch, trainer.teachers.sha256)
    row = mean.history[-1]
    say(
        f"mean of {len(parts)}: validation loss {row['validation_loss']:.4f}, accuracy "
        f"{row['validation_accuracy']:.4f}; wrote {folder / NETWORK}"
    )


def mean_weights(runs: Sequence[Path]) -> list[torch.Tensor]:
    """The mean of the averaged weights of several runs of one network, variable by variable.

    Whole numbers are the first run's: they are the state of drop-out's chance.
    """
    weights = [Checkpoint.load(run / LAST).average for run in runs]
    return [
        torch.stack(list(values)).mean(dim=0) if values[0].is_floating_point() else values[0]
        for values in zip(*weights, strict=True)
    ]


def _part(recipe: Recipe, seed: int, initial: Path) -> Recipe:
    """One of the short runs: whatever the finale does not say is as it was, widths as pruning left them."""
    finale, widths = recipe.finale, Checkpoint.load(initial).recipe["network"]["widths"]
    network = replace(recipe.network, widths=None if widths is None else tuple(widths))
    return replace(
        recipe,
        seed=seed,
        initial=str(initial),
        data=_changed(recipe.data, hard_share=finale.hard_share, copies=finale.copies),
        network=_changed(network, dropout=finale.dropout, drop_path=finale.drop_path),
        augment=finale.augment,
        schedule=finale.schedule,
        ensemble=finale.ensemble,
        prune=replace(recipe.prune, ratio=0.0),
        finale=FinaleOptions(),
    )


def _changed(options: Options, **fields: Any) -> Options:
    """The same options but for those fields that are not None."""
    return replace(options, **{name: value for name, value in fields.items() if value is not None})  # type: ignore[type-var]


def _scored(trainer: Trainer, weights: list[torch.Tensor]) -> dict[str, float]:
    """The last row of the trainer's history, with these weights' validation scores."""
    restore_variables(trainer.average, weights, FINALE)
    score = trainer.score(trainer.average)
    return {
        **trainer.history[-1],
        "validation_loss": score.loss,
        "validation_accuracy": score.accuracy,
    }
