"""One YAML file that says all a training run needs, as frozen dataclasses; same file, same weights."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lightfer_ros.errors import ConfigurationError
from lightfer_ros.training.augment import AugmentOptions
from lightfer_ros.training.data import DataOptions
from lightfer_ros.training.network import NetworkOptions
from lightfer_ros.training.prune import PruneOptions
from lightfer_ros.training.schedule import ScheduleOptions
from lightfer_ros.training.temporal_ensemble import EnsembleOptions


@dataclass(frozen=True)
class OptimizerOptions:
    """AdamW; weight decay on kernels only. average_decay: share of the weight average kept per step."""

    batch_size: int = 128
    weight_decay: float = 0.05
    beta2: float = 0.999
    clip_norm: float = 5.0
    average_decay: float = 0.999


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run's outcome.

    precision: bf16 or fp32. workers: processes that share each batch (a CPU's cores; 1 on a GPU).
    threads: of each worker; 0 leaves torch's own choice.
    """

    name: str = "xception"
    seed: int = 1
    precision: str = "bf16"
    workers: int = 1
    threads: int = 0
    data: DataOptions = DataOptions()
    network: NetworkOptions = NetworkOptions()
    augment: AugmentOptions = AugmentOptions()
    schedule: ScheduleOptions = ScheduleOptions()
    prune: PruneOptions = PruneOptions()
    ensemble: EnsembleOptions = EnsembleOptions()
    optimizer: OptimizerOptions = OptimizerOptions()

    def __post_init__(self) -> None:
        if self.precision not in ("bf16", "fp32"):
            raise ConfigurationError(f"recipe: precision is {self.precision!r}, expected bf16 or fp32")
        if self.data.input_size != self.network.input_size:
            raise ConfigurationError(
                f"recipe: data.input_size is {self.data.input_size} and network.input_size "
                f"{self.network.input_size}, expected the same"
            )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; fields left out keep their defaults. Relative paths count from the working directory.

    Raises ConfigurationError naming file and field for anything unknown or of the wrong type.
    """
    if not path.is_file():
        raise ConfigurationError(f"{path} does not exist; expected a recipe in YAML")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML ({error})") from None
    return record_from(Recipe, values, str(path))


def to_dict(recipe: Recipe) -> dict[str, Any]:
    """The recipe as plain values that `record_from` and YAML read back to an equal recipe."""
    return typing.cast(dict[str, Any], _plain(dataclasses.asdict(recipe)))


_T = TypeVar("_T")


def record_from(kind: type[_T], values: Any, where: str) -> _T:
    """Build a frozen dataclass from nested mappings, strictly: unknown fields and wrong types are refused."""
    if not isinstance(values, Mapping):
        raise ConfigurationError(f"{where}: expected fields, got {type(values).__name__}")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise ConfigurationError(
            f"{where}: unknown field {', '.join(map(str, unknown))}; known are {', '.join(hints)}"
        )
    return kind(**{name: _convert(hints[name], value, f"{where}: {name}") for name, value in values.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return record_from(typing.cast(type[Any], hint), value, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and arguments[-1] is Ellipsis:
        if not isinstance(value, (list, tuple)):
            raise ConfigurationError(f"{where} is {value!r}, expected a list")
        return tuple(_convert(arguments[0], v, where) for v in value)
    if origin is tuple:
        if not isinstance(value, (list, tuple)) or len(value) != len(arguments):
            raise ConfigurationError(f"{where} is {value!r}, expected {len(arguments)} values")
        return tuple(_convert(h, v, where) for h, v in zip(arguments, value, strict=True))
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _convert(arguments[0], value, where)
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (hint is int and isinstance(value, bool)):
        return value
    raise ConfigurationError(f"{where} is {value!r}, expected {hint.__name__}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
