"""The training loop: one epoch after the other, averaged weights, all of it to be frozen in between."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch
from torch.nn import functional as F

from lightfer_ros.errors import DataError
from lightfer_ros.model.metadata import sha256_of
from lightfer_ros.training import magnitude
from lightfer_ros.training.augment import Augmenter
from lightfer_ros.training.checkpoint import Checkpoint, restore_variables, variable_values
from lightfer_ros.training.data import TrainingData
from lightfer_ros.training.feed import Feed, to_input
from lightfer_ros.training.learner import Learner
from lightfer_ros.training.native import mixed_precision
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.prune import Importance, choose
from lightfer_ros.training.recipe import Recipe, differences, recipe_from, to_dict
from lightfer_ros.training.step import Step
from lightfer_ros.training.teacher import Teachers
from lightfer_ros.training.temporal_ensemble import TemporalEnsemble
from lightfer_ros.training.widths import LayerShape, Widths, equation_1, layer_shapes, published_widths
from lightfer_ros.training.workers import Exchange


@dataclass(frozen=True)
class Score:
    """How a network does on the validation faces: accuracy and mean negative log-likelihood of the labels."""

    accuracy: float
    loss: float


class Trainer:
    """A run in progress: network, its running average, optimizer and generators."""

    def __init__(
        self,
        recipe: Recipe,
        data: TrainingData,
        exchange: Exchange | None = None,
        ensemble: TemporalEnsemble | None = None,
    ) -> None:
        self.recipe, self.data, self.exchange = recipe, data, exchange
        keras.utils.set_random_seed(recipe.seed)
        self.learner = Learner(recipe.network, recipe.optimizer)
        self.device = self.learner.device
        self.initial_sha256 = ""
        if recipe.initial:
            weights = Checkpoint.load(Path(recipe.initial)).average
            for model in (self.network, self.average):
                restore_variables(model, weights, recipe.initial)
            self.learner.hold_zeros()
            self.initial_sha256 = sha256_of(Path(recipe.initial))
        self.ensemble = ensemble or TemporalEnsemble(recipe.ensemble, len(data.images), self.device)
        self.augmenter = Augmenter(recipe.augment, recipe.seed, self.device)
        self.teachers = Teachers(recipe.teachers, recipe.network.input_size, recipe.precision)
        self.feed = Feed(data, recipe.data.class_balance, self.augmenter, self.teachers, self.ensemble)
        self._prepare()
        self.epoch = self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.changes: list[str] = []

    @property
    def network(self) -> Any:
        """The network as trained so far, before averaging."""
        return self.learner.network

    @property
    def average(self) -> Any:
        """The network with averaged weights: what a run gives."""
        return self.learner.average

    def train_epoch(
        self, say: Callable[[int, int, int, torch.Tensor, float], None] | None = None
    ) -> dict[str, float]:
        """Train one epoch, score the averaged network, and return the epoch's row of history.

        say: called now and then with (epoch, step, steps, mean loss so far, seconds so far).
        """
        start = time.monotonic()
        batch = self.recipe.optimizer.batch_size
        shuffled = self._reseed()
        steps = len(shuffled) // batch  # the rest, under one batch, is other faces every epoch
        if steps == 0:
            raise DataError(f"{len(shuffled)} training faces are fewer than one batch of {batch}")
        total, right, seen = torch.zeros((), device=self.device), torch.zeros((), device=self.device), 0
        order = [part[self._rank :: self._workers] for part in shuffled[: steps * batch].split(batch)]
        for i, faces in enumerate(self.feed.batches(order, self.epoch + 1)):
            rate = self.recipe.schedule.learning_rate(self.epoch + i / steps)
            self.step += 1
            self.learner.set_rate(rate, self.step)
            loss, logits = self._learn(faces)
            self.ensemble.observe(logits.float().softmax(1), faces.chosen, self.epoch + 1)
            total += loss
            right += (logits.argmax(1) == faces.targets.argmax(1)).sum()
            seen += len(faces.chosen)
            if say is not None and (i + 1) % 20 == 0:
                say(self.epoch + 1, i + 1, steps, total / (i + 1), time.monotonic() - start)
        self.epoch += 1
        self._prune()
        score = self.score(self.average) if self._rank == 0 else Score(0.0, 0.0)
        seconds = time.monotonic() - start
        self.seconds += seconds
        row = {
            "epoch": self.epoch,
            "learning_rate": rate,
            "loss": float(total) / steps,
            "accuracy": float(right) / seen,
            "validation_loss": score.loss,
            "validation_accuracy": score.accuracy,
            "ratio": self._ratio(),
            "seconds": seconds,
        }
        self.history.append(row)
        return row

    def score(self, model: Any) -> Score:
        """Score a network on the validation faces, as they are."""
        faces = self.data.validation
        logits = torch.from_numpy(self.predict(model, faces.images))
        labels = torch.from_numpy(faces.labels)
        right = (logits.argmax(1) == labels).float().mean()
        return Score(float(right), float(F.cross_entropy(logits, labels)))

    def predict(self, model: Any, images: np.ndarray) -> np.ndarray:
        """Logits float32 [n, 7] of uint8 faces [n, s, s]."""
        out, batch = [], 256 if self.device.type == "cpu" else 512
        with torch.inference_mode(), mixed_precision(self.device, self.recipe.precision):
            for part in torch.from_numpy(images.copy()).split(batch):
                inputs = to_input(part.to(self.device).float() / 255.0)
                out.append(model(inputs, training=False).float().cpu())
        return np.asarray(torch.cat(out).numpy())

    def freeze(self) -> Checkpoint:
        """The run as it stands."""
        return Checkpoint(
            recipe=to_dict(self.recipe),
            data_sha256=self.data.sha256,
            epoch=self.epoch,
            step=self.step,
            seconds=self.seconds,
            network=variable_values(self.network),
            average=variable_values(self.average),
            optimizers=[o.state_dict() for o in self.learner.optimizers],
            history=list(self.history),
            ensemble=self.ensemble.sums.cpu().clone(),
            initial_sha256=self.initial_sha256,
            changes=list(self.changes),
        )

    def thaw(self, saved: Checkpoint, where: str) -> None:
        """Go on where `saved` stopped. Raises ModelError for another network, DataError for other data."""
        if saved.data_sha256 != self.data.sha256:
            raise DataError(
                f"{where}: trained on data {saved.data_sha256[:12]}…, but this is {self.data.sha256[:12]}…"
            )
        self._adopt_widths(saved, where)
        restore_variables(self.network, saved.network, where)
        restore_variables(self.average, saved.average, where)
        self.learner.restore_optimizers(saved.optimizers, where)
        self.learner.hold_zeros()
        self.epoch, self.step, self.seconds = saved.epoch, saved.step, saved.seconds
        self.history = list(saved.history)
        otherwise = differences(saved.recipe, to_dict(self.recipe)).items()
        now = [f"from epoch {self.epoch + 1} on {field}: {what}" for field, what in otherwise]
        self.changes = [*saved.changes, *now]
        if saved.ensemble is not None and saved.ensemble.shape == self.ensemble.sums.shape:
            self.ensemble.sums.copy_(saved.ensemble)

    def _prepare(self) -> None:
        """Make ready to learn with the learner that there is now."""
        self.importance: Importance | None = None
        if self.recipe.prune.ratio and self.recipe.prune.what == "channels":
            self.importance = Importance(self.network, self.recipe.network.middle_blocks)
        self._learn = Step(self.learner, self.recipe.precision, self._after_backward)

    def _after_backward(self) -> None:
        if self.exchange is not None:
            self.exchange.average(list(self.network.parameters()), self.step)
        if self.importance is not None:
            self.importance.observe()

    @property
    def _rank(self) -> int:
        return self.exchange.rank if self.exchange is not None else 0

    @property
    def _workers(self) -> int:
        return self.exchange.count if self.exchange is not None else 1

    def _reseed(self) -> torch.Tensor:
        """Set every source of chance from seed, epoch and rank: a resumed run repeats. Returns the order."""
        common = (self.recipe.seed * 10_007 + self.epoch) * 64
        own = common + 1 + self._rank
        self.augmenter.generator.manual_seed(own)
        torch.manual_seed(own)
        return torch.randperm(len(self.feed.images), generator=torch.Generator().manual_seed(common))

    def _prune(self) -> None:
        """Remove the channels, or zero the weights, that this epoch's budget leaves no room for."""
        options, plan = self.recipe.network, self.recipe.prune
        if not plan.ratio:
            return
        begun_with = options if self.importance is None else replace(options, widths=None)
        unpruned = equation_1(*self._shapes(begun_with))
        allowed = plan.allowed(self.epoch, unpruned, equation_1(*self._published))
        if allowed is None:
            if self.importance is not None:
                self.importance.clear()
            return
        if self.importance is None:
            magnitude.smallest_to_zero(self.network, unpruned - allowed)
            self.learner.hold_zeros()
        else:
            kept = choose(options, self.importance.scores(), allowed, plan.chunk)
            self.learner = self.learner.narrow(kept)
            self.recipe = replace(self.recipe, network=self.learner.options)
        self._prepare()

    def _adopt_widths(self, saved: Checkpoint, where: str) -> None:
        """Take over the widths that pruning had reached, if it is the same network otherwise."""
        options = recipe_from(saved.recipe, where).network
        if replace(options, widths=None) == replace(self.recipe.network, widths=None):
            self.recipe = replace(self.recipe, network=options)
            self.learner = Learner(options, self.recipe.optimizer)
            self._prepare()

    def _ratio(self) -> float:
        """R of Eq. 1, of the architecture that it is defined for."""
        if self.recipe.network.architecture != "xception":
            return float("nan")
        left = equation_1(*self._shapes(self.recipe.network)) - magnitude.zeros(self.network)
        return equation_1(*self._published) / left

    @property
    def _published(self) -> tuple[tuple[LayerShape, ...], Widths]:
        return layer_shapes(), published_widths()

    def _shapes(self, options: NetworkOptions) -> tuple[tuple[LayerShape, ...], Widths]:
        return layer_shapes(options.middle_blocks), options.table()
