"""One YAML file that says all a training run needs, as frozen dataclasses; same file, same weights."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model.record import record_from
from lightfer_ros.training.augment import AugmentOptions
from lightfer_ros.training.data import DataOptions
from lightfer_ros.training.limits import BELOW_ONE, COUNT, NOT_NEGATIVE, POSITIVE, within
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.prune import PruneOptions
from lightfer_ros.training.schedule import ScheduleOptions
from lightfer_ros.training.teacher import TeacherOptions
from lightfer_ros.training.temporal_ensemble import EnsembleOptions

Options = TypeVar("Options")


@dataclass(frozen=True)
class OptimizerOptions:
    """AdamW; weight decay on kernels only. average_decay: share of the weight average kept per step.

    muon: whether Muon learns the kernels of ordinary convolutions, and AdamW the rest.
    """

    batch_size: int = 128
    muon: bool = False
    weight_decay: float = 0.05
    beta2: float = 0.999
    clip_norm: float = 5.0
    average_decay: float = 0.999

    def __post_init__(self) -> None:
        within("optimizer", self, batch_size=COUNT, clip_norm=POSITIVE, weight_decay=NOT_NEGATIVE)
        within("optimizer", self, beta2=BELOW_ONE, average_decay=BELOW_ONE)


def _not_both(where: str, ensemble: EnsembleOptions, augment: AugmentOptions) -> None:
    if ensemble.share and augment.mixup_share:
        raise ConfigurationError(
            f"{where}: ensemble.share is {ensemble.share} and augment.mixup_share {augment.mixup_share}, "
            "expected one of them 0: mixed faces cannot be remembered"
        )


@dataclass(frozen=True)
class FinaleOptions:
    """Short runs at the end, see `finale.play`: one for each of `seeds`, none by default.

    Each begins with the run's averaged weights and has this augmentation, schedule and ensemble; the defaults
    are the milder ones of docs/training.md. hard_share, copies: of the data, dropout, drop_path: of the
    network; None: as in the run.
    """

    seeds: tuple[int, ...] = ()
    augment: AugmentOptions = AugmentOptions(
        rotation_deg=6.0,
        scale=(0.95, 1.08),
        loose_share=0.12,
        loose_scale=(0.6, 0.9),
        aspect=0.02,
        shift=0.04,
        contrast=(0.9, 1.1),
        brightness=0.04,
        gamma=(0.95, 1.05),
        low_resolution_share=0.03,
        blur_share=0.03,
        jpeg_share=0.03,
        noise_share=0.03,
        erase_share=0.1,
        erase_area=(0.02, 0.1),
    )
    schedule: ScheduleOptions = ScheduleOptions(epochs=5, decay_epochs=4, warmup_epochs=0.5, peak=3e-4)
    ensemble: EnsembleOptions = EnsembleOptions(share=0.3, first_epoch=1)
    hard_share: float | None = None
    copies: str | None = None
    dropout: float | None = None
    drop_path: float | None = None

    def __post_init__(self) -> None:
        if len(set(self.seeds)) < len(self.seeds):
            raise ConfigurationError(f"finale: seeds are {list(self.seeds)}, expected each once")
        _not_both("finale", self.ensemble, self.augment)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run's outcome.

    precision: bf16 or fp32. workers: processes that share each batch (a CPU's cores; a GPU does without).
    threads: of each worker; 0 leaves torch's own choice. initial: a checkpoint of another run, whose averaged
    weights this one begins with instead of random ones.
    """

    name: str = "xception"
    seed: int = 1
    precision: str = "bf16"
    workers: int = 1
    threads: int = 0
    initial: str | None = None
    data: DataOptions = DataOptions()
    network: NetworkOptions = NetworkOptions()
    augment: AugmentOptions = AugmentOptions()
    schedule: ScheduleOptions = ScheduleOptions()
    prune: PruneOptions = PruneOptions()
    ensemble: EnsembleOptions = EnsembleOptions()
    teachers: TeacherOptions = TeacherOptions()
    optimizer: OptimizerOptions = OptimizerOptions()
    finale: FinaleOptions = FinaleOptions()

    def __post_init__(self) -> None:
        if self.precision not in ("bf16", "fp32"):
            raise ConfigurationError(f"recipe: precision is {self.precision!r}, expected bf16 or fp32")
        if self.data.input_size != self.network.input_size:
            raise ConfigurationError(
                f"recipe: data.input_size is {self.data.input_size} and network.input_size "
                f"{self.network.input_size}, expected the same"
            )
        if self.prune.ratio and self.network.architecture != "xception":
            raise ConfigurationError(
                f"recipe: prune.ratio is {self.prune.ratio} and network.architecture "
                f"{self.network.architecture}, expected xception: only its channels can be removed"
            )
        _not_both("recipe", self.ensemble, self.augment)
        within("recipe", self, workers=COUNT, threads=NOT_NEGATIVE)
        if self.finale.seeds:
            self.part(self.finale.seeds[0], "")  # what cannot be is refused before the run, not after it

    def part(self, seed: int, initial: str) -> Recipe:
        """The recipe of one of the finale's runs, from the weights of the checkpoint `initial` on.

        Whatever the finale does not say is as it was.
        """
        finale = self.finale
        return replace(
            self,
            seed=seed,
            initial=initial,
            data=_changed(self.data, hard_share=finale.hard_share, copies=finale.copies),
            network=_changed(self.network, dropout=finale.dropout, drop_path=finale.drop_path),
            augment=finale.augment,
            schedule=finale.schedule,
            ensemble=finale.ensemble,
            prune=replace(self.prune, ratio=0.0),
            finale=FinaleOptions(),
        )


def read_recipe(path: Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe; fields left out keep their defaults. Relative paths count from the working directory.

    changes: "network.width=0.5" and the like, values in YAML, which count instead of the file's.
    Raises ConfigurationError naming file and field for anything unknown or of the wrong type.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path} does not exist; expected a recipe in YAML")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML ({error})") from None
    for change in changes:
        _change(values, change)
    return recipe_from(values, " ".join([str(path), *changes]))


def recipe_from(values: Any, where: str) -> Recipe:
    """A recipe out of plain values, as YAML or a checkpoint has them; `where` names them in errors."""
    return record_from(Recipe, values, where, ConfigurationError)


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values that `recipe_from` and YAML read back to an equal recipe."""
    return typing.cast(dict[str, Any], _plain(dataclasses.asdict(recipe)))


def differences(before: dict[str, Any], after: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """What another recipe, as plain values, says otherwise: field, as "optimizer.batch_size" → "256 for 128".

    A field that the earlier one does not have is none: recipes of older versions know fewer.
    """
    out: dict[str, str] = {}
    for name, value in after.items():
        was = before.get(name)
        if isinstance(value, dict) and isinstance(was, dict):
            out.update(differences(was, value, f"{prefix}{name}."))
        elif name in before and value != was:
            out[f"{prefix}{name}"] = f"{value} for {was}"
    return out


def _changed(options: Options, **fields: Any) -> Options:
    """The same options but for those fields that are not None."""
    return replace(options, **{name: value for name, value in fields.items() if value is not None})  # type: ignore[type-var]


def _change(values: Any, change: str) -> None:
    name, equals, text = change.partition("=")
    *sections, field = name.split(".")
    try:
        for section in sections:
            values = values.setdefault(section, {})
        values[field] = yaml.safe_load(text)
    except (AttributeError, TypeError, yaml.YAMLError):
        equals = ""
    if not equals or not field:
        raise ConfigurationError(f"--set {change}: expected FIELD=VALUE, as network.width=0.5")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
