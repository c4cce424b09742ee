"""A whole training run in a folder: start or resume, checkpoints, progress with an estimate."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from lightfer_ros.errors import ConfigurationError, LightferError
from lightfer_ros.training.checkpoint import Checkpoint
from lightfer_ros.training.data import TrainingData, load
from lightfer_ros.training.loop import Trainer
from lightfer_ros.training.recipe import Recipe
from lightfer_ros.training.record import write_history, write_plot, write_record
from lightfer_ros.training.temporal_ensemble import TemporalEnsemble
from lightfer_ros.training.workers import Exchange, start

LAST = "last.pt"
PLATEAU = "plateau.pt"
BEST = "best.pt"
KEPT_EVERY_S = 20.0
"""Where epochs are shorter than that, not each of them is kept: writing takes a second."""
NETWORK = "network.keras"


def train(
    recipe: Recipe,
    folder: Path,
    resume: bool = False,
    start_from: str = LAST,
) -> Trainer:
    """Run the recipe to its last epoch and return the trainer.

    `folder` gets last.pt after every epoch, or every KEPT_EVERY_S of short ones, best.pt at the best of their
    validation accuracies, plateau.pt before the learning rate decays (resume from it with more epochs to
    extend a finished run), history.csv and .png, run.json and pid, and at the end network.keras with its
    metadata.
    Raises ConfigurationError when the folder holds a run and `resume` is False, or the other way round, and
    while another process trains there.
    """
    checkpoint = folder / start_from
    if resume and not checkpoint.is_file():
        raise ConfigurationError(f"{folder} holds no run to resume: {checkpoint} is missing")
    if not resume and start_from != LAST:
        raise ConfigurationError(f"--from {start_from}: expected together with --resume")
    if not resume and checkpoint.is_file():
        raise ConfigurationError(
            f"{folder} already holds a run; --resume goes on with it, another --out starts a new one"
        )
    _set_up_torch(recipe)
    say(f"reading {recipe.data.path}")
    data = load(recipe.data)
    _make(folder)
    with _claimed(folder):
        return _train(recipe, data, folder, checkpoint if resume else None)


def _train(recipe: Recipe, data: TrainingData, folder: Path, checkpoint: Path | None) -> Trainer:
    """Begin, or go on from the checkpoint, and write what `train` says."""
    say(
        f"{len(data.images)} training faces ({data.left_out} left out as copies of validation faces, "
        f"{data.merged} copies merged), {len(data.validation)} validation faces "
        f"({data.not_validated} left out as copies of training faces)"
    )
    trainer = _trainer(recipe, data, checkpoint)
    say(f"{trainer.network.count_params() / 1e6:.2f} M parameters on {trainer.device}, {recipe.precision}")
    if checkpoint is not None:
        say(f"resuming after epoch {trainer.epoch} of {recipe.schedule.epochs}")
        for change in trainer.changes:
            say(change)
    kept = time.monotonic()
    while trainer.epoch < recipe.schedule.epochs:
        row = trainer.train_epoch(_Progress(recipe.schedule.epochs))
        turns = recipe.schedule.plateau_ends(trainer.epoch) or trainer.epoch == recipe.schedule.epochs
        if turns or time.monotonic() - kept >= KEPT_EVERY_S:
            _keep(trainer, folder)
            kept = time.monotonic()
        left = (recipe.schedule.epochs - trainer.epoch) * row["seconds"]
        say(
            f"epoch {trainer.epoch}/{recipe.schedule.epochs}: loss {row['loss']:.4f}, accuracy "
            f"{row['accuracy']:.4f}, validation loss {row['validation_loss']:.4f}, accuracy "
            f"{row['validation_accuracy']:.4f}, {row['seconds']:.0f} s, {_clock(left)} left"
        )
    from lightfer_ros.training.artifact import save_network

    save_network(folder / LAST, folder / NETWORK)
    say(f"wrote {folder / NETWORK}")
    return trainer


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LightferError(f"cannot make the folder {folder}: {error.strerror}") from None


@contextlib.contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder's pid file, which tells who trains there; it is free again when this process ends."""
    with (folder / "pid").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ConfigurationError(f"{folder}: process {file.read().strip()} trains there") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _trainer(recipe: Recipe, data: TrainingData, checkpoint: Path | None) -> Trainer:
    trainer = Trainer(recipe, data)
    if checkpoint is not None:
        trainer.thaw(Checkpoint.load(checkpoint), str(checkpoint))
    if recipe.workers > 1 and trainer.device.type == "cpu":
        size = sum(p.numel() for p in trainer.network.parameters() if p.requires_grad)
        trainer.exchange, _ = start(recipe.workers, size, _help, (recipe, data, checkpoint, trainer.ensemble))
    return trainer


def _help(
    exchange: Exchange,
    recipe: Recipe,
    data: TrainingData,
    checkpoint: Path | None,
    ensemble: TemporalEnsemble,
) -> None:
    """What every worker but the first does: train along, keep nothing."""
    _set_up_torch(recipe)
    trainer = Trainer(recipe, data, exchange, ensemble)
    if checkpoint is not None:
        trainer.thaw(Checkpoint.load(checkpoint), str(checkpoint))
    while trainer.epoch < recipe.schedule.epochs:
        trainer.train_epoch()


def _set_up_torch(recipe: Recipe) -> None:
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.set_flush_denormal(True)


def _keep(trainer: Trainer, folder: Path) -> None:
    saved = trainer.freeze()
    saved.save(folder / LAST)
    if trainer.recipe.schedule.plateau_ends(trainer.epoch):
        saved.save(folder / PLATEAU)
    best = folder / BEST
    if not best.is_file() or _accuracy(saved) >= _accuracy(Checkpoint.load(best)):
        replace(saved, optimizers=[]).save(folder / BEST)
    write_history(folder, trainer.history)
    write_plot(folder, trainer.history)
    write_record(
        folder,
        trainer.recipe,
        trainer.data,
        trainer.seconds,
        trainer.epoch,
        trainer.teachers.sha256,
        trainer.changes,
    )


def _accuracy(saved: Checkpoint) -> float:
    return saved.history[-1]["validation_accuracy"]


class _Progress:
    """Says where an epoch stands, at most twice a minute."""

    def __init__(self, epochs: int, every_s: float = 30.0) -> None:
        self.epochs, self.every_s, self.said = epochs, every_s, time.monotonic()

    def __call__(self, epoch: int, step: int, steps: int, loss: torch.Tensor, seconds: float) -> None:
        if time.monotonic() - self.said < self.every_s:
            return
        self.said = time.monotonic()
        pace = seconds / step
        left = pace * ((steps - step) + (self.epochs - epoch) * steps)
        batch = f"{1 / pace:.1f} batches/s"
        say(
            f"epoch {epoch}/{self.epochs}, step {step}/{steps}: loss {float(loss):.4f}, {batch}, "
            f"{_clock(left)} left"
        )


def _clock(seconds: float) -> str:
    minutes = int(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def say(text: str) -> None:
    """One line about the run for whoever watches it, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
