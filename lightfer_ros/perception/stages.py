"""Where the time of one frame goes."""

from __future__ import annotations

import time
from typing import Dict


class StageTimes:
    """Seconds spent in each named stage of the newest frame; a stage that did not run is absent."""

    def __init__(self) -> None:
        self.seconds: Dict[str, float] = {}

    @property
    def total(self) -> float:
        """Seconds spent in all stages so far."""
        return sum(self.seconds.values())

    def measure(self, stage: str) -> _Measured:
        """A context: the time that its block takes is added to `stage`."""
        return _Measured(self.seconds, stage)


class _Measured:
    """The context of one block; contextlib's generator takes three times as long, a dozen times a frame."""

    def __init__(self, seconds: Dict[str, float], stage: str) -> None:
        self._seconds = seconds
        self._stage = stage

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        elapsed = time.perf_counter() - self._start
        self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + elapsed
