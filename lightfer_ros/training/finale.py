"""The end of a run: short runs from its weights on faces as they are, one a seed, and the mean of them all.

Augmentation teaches a network faces that it will seldom meet; a few epochs with little of it, at a low rate,
bring it back to those that it will (Touvron et al. 2019, arXiv:1906.06423). Runs that begin with the same
weights end in the same valley, so that the mean of their weights is a network too, and better than each of
them (model soups, Wortsman et al. 2022, arXiv:2203.05482).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from lightfer_ros.model.metadata import sha256_of
from lightfer_ros.training.artifact import save_network
from lightfer_ros.training.checkpoint import Checkpoint, restore_variables
from lightfer_ros.training.loop import Trainer
from lightfer_ros.training.recipe import Recipe, differences, to_dict
from lightfer_ros.training.record import write_record
from lightfer_ros.training.run import LAST, NETWORK, say, train

FINALE = "finale.pt"
DECIDE_NOTHING = {"initial", "workers", "threads", "data.path", "data.votes"}
"""Fields of a recipe that say where weights and faces lie, whose hashes tell them apart, and who works."""


def play(run: Trainer, folder: Path) -> None:
    """Go on from the finished run in `folder`, once for each seed of its finale, and save the mean.

    The parts lie in `folder`/finale_SEED; one that was killed is resumed, one that began otherwise is made
    anew. `folder` gets finale.pt, and its network.keras and run.json become the mean's. Raises what `train`
    raises.
    """
    parts = [folder / f"finale_{seed}" for seed in run.recipe.finale.seeds]
    seconds = run.seconds
    for seed, part in zip(run.recipe.finale.seeds, parts, strict=True):
        recipe = run.recipe.part(seed, str(folder / LAST))
        _clear(part, recipe)
        trainer = train(recipe, part, resume=(part / LAST).is_file())
        seconds += trainer.seconds
    mean = replace(
        run.freeze(),
        recipe=to_dict(replace(run.recipe, data=recipe.data)),
        average=mean_weights(parts),
        data_sha256=trainer.data.sha256,
        optimizers=[],
        ensemble=None,
    )
    mean.epoch += trainer.epoch
    mean.history = [*run.history, _scored(trainer, mean.average)]
    mean.save(folder / FINALE)
    save_network(folder / FINALE, folder / NETWORK)
    teachers = run.teachers.sha256
    write_record(folder, run.recipe, run.data, seconds, mean.epoch, teachers, run.changes, trainer.data)
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


def _clear(part: Path, recipe: Recipe) -> None:
    """Take away what an earlier finale left there, if it began with other weights or by another recipe."""
    if not (part / LAST).is_file():
        return
    there = Checkpoint.load(part / LAST)
    otherwise = differences(there.recipe, to_dict(recipe)).keys() - DECIDE_NOTHING
    if otherwise or there.initial_sha256 != sha256_of(Path(str(recipe.initial))):
        say(f"{part} began with other weights or by another recipe: it is made anew")
        shutil.rmtree(part)


def _scored(trainer: Trainer, weights: list[torch.Tensor]) -> dict[str, float]:
    """The last row of the trainer's history, with these weights' validation scores."""
    restore_variables(trainer.average, weights, FINALE)
    score = trainer.score(trainer.average)
    return {
        **trainer.history[-1],
        "validation_loss": score.loss,
        "validation_accuracy": score.accuracy,
    }
