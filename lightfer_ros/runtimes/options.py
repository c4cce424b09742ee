"""How a model file is to be run: the engine, its providers, its threads, its caches."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Tuple

from lightfer_ros.errors import ConfigurationError

ENGINE_PRECISIONS = ("fp32", "fp16")


def default_engine_cache() -> Path:
    """The folder that holds the engines built on this machine: `lightfer/engines` in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "lightfer" / "engines"


@dataclass(frozen=True)
class RuntimeOptions:
    """What a user may choose about running a model; the defaults suit boards of two to four cores.

    runtime: a registered name, or "auto" for the best one that truly works here.
    providers: execution providers to try, in order, as the runtime names them; empty for its own order.
    threads: threads that share one inference. One leaves the other cores to detection and to ROS.
    spinning: let those threads wait by burning CPU; a little faster alone, harmful beside other work.
    allow_fallback: whether something that was not named may be used when all that was named fails.
    max_batch: crops in one call of the engine, and in a GPU engine's profile; larger batches are split.
    engine_precision: what a GPU engine built from a float model computes in, "fp16" or "fp32".
    device: index of the GPU.
    engine_cache: folder of the engines built on this machine.

    Raises ConfigurationError naming the option, the value given and the range.
    """

    runtime: str = "auto"
    providers: Tuple[str, ...] = ()
    threads: int = 1
    spinning: bool = False
    allow_fallback: bool = True
    max_batch: int = 16
    engine_precision: str = "fp16"
    device: int = 0
    engine_cache: Path = field(default_factory=default_engine_cache)

    def __post_init__(self) -> None:
        if not isinstance(self.runtime, str) or not self.runtime:
            raise ConfigurationError(f'runtime is {self.runtime!r}, expected "auto" or the name of a runtime')
        if isinstance(self.providers, str) or not all(isinstance(p, str) and p for p in self.providers):
            raise ConfigurationError(
                f"providers is {self.providers!r}, expected a sequence of provider names"
            )
        object.__setattr__(self, "providers", tuple(self.providers))
        _whole_number("threads", self.threads, 1, 64)
        _whole_number("max_batch", self.max_batch, 1, 256)
        _whole_number("device", self.device, 0, 15)
        _yes_or_no("spinning", self.spinning)
        _yes_or_no("allow_fallback", self.allow_fallback)
        if self.engine_precision not in ENGINE_PRECISIONS:
            known = ", ".join(ENGINE_PRECISIONS)
            raise ConfigurationError(
                f"engine_precision is {self.engine_precision!r}, expected one of {known}"
            )
        if not isinstance(self.engine_cache, (str, os.PathLike)) or not os.fspath(self.engine_cache):
            raise ConfigurationError(f"engine_cache is {self.engine_cache!r}, expected the path of a folder")
        object.__setattr__(self, "engine_cache", Path(self.engine_cache).expanduser())


def _whole_number(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigurationError(f"{name} is {value!r}, expected a whole number from {low} to {high}")


def _yes_or_no(name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is {value!r}, expected true or false")
