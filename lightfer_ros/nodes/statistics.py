"""Small running measures: rates over seconds, percentiles over the newest samples, reasons counted."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from typing import Deque, Dict, Iterable, List, Sequence

import numpy as np

SAMPLES = 1800
"""Percentiles are over so many newest samples: a minute at 30 Hz."""

NEWS_S = 10.0
"""A refusal is a reason to warn for so long; its count stays."""

MOST_REASONS = 20
"""More different reasons than this are counted together: a broken driver can invent a new one every frame."""

STAGES = (
    *("decode", "follow", "detect", "landmarks", "pose", "align", "classify", "reliability"),
    *("publish", "total", "refine"),
)
"""What an image goes through, in the order in which it is told; `refine` comes when the answer is out, and so
do classifying and what belongs to it where an answer would be late."""

_NUMBER = re.compile(r"\d+(\.\d+)?")


class Rate:
    """Events per second over a window that slides with the caller's clock. Threads may add and ask."""

    def __init__(self, window_s: float = 5.0) -> None:
        self._window_s = window_s
        self._lock = threading.Lock()
        self._events: Deque[float] = deque()

    def add(self, now: float, count: int = 1) -> None:
        """Count events that happened at `now`, seconds."""
        with self._lock:
            if self._events and now < self._events[-1]:
                self._events.clear()  # the clock jumped back
            self._events.extend([now] * count)

    def per_second(self, now: float) -> float:
        """The rate over the window before `now`, or since the first event where that is later."""
        with self._lock:
            while self._events and not 0.0 <= now - self._events[0] <= self._window_s:
                self._events.popleft()
            if len(self._events) < 2:
                return 0.0
            span = max(now, self._events[-1]) - self._events[0]
            return (len(self._events) - 1) / span if span > 0 else 0.0


class Percentiles:
    """Percentiles of the newest samples of several named quantities. One thread adds, others may ask."""

    def __init__(self) -> None:
        self._samples: Dict[str, np.ndarray] = {}  # float64 [SAMPLES], a ring
        self._counts: Dict[str, int] = {}

    def add(self, values: Dict[str, float]) -> None:
        """Add one sample to each quantity."""
        for name, value in values.items():
            count = self._counts.get(name, 0)
            if not count:
                self._samples[name] = np.empty(SAMPLES)
            self._samples[name][count % SAMPLES] = value
            self._counts[name] = count + 1

    @property
    def names(self) -> Iterable[str]:
        """The quantities that have samples, in the order they first came."""
        return list(self._counts)

    def percentiles(self, name: str, percents: Sequence[float]) -> List[float]:
        """Percentiles of a quantity, NaN without samples."""
        count = min(self._counts.get(name, 0), SAMPLES)
        if not count:
            return [float("nan")] * len(percents)
        found: List[float] = np.percentile(self._samples[name][:count], percents).tolist()
        return found


class Refusals:
    """Why frames were refused: each reason is news once and counted ever after.

    Reasons that differ in their numbers only are one: a loose cable cuts every JPEG at another byte.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.last = ""
        self._last_at = float("-inf")

    def add(self, reason: str, now: float) -> bool:
        """Count a refusal at `now`, seconds; True where the reason is new and should be told."""
        self._last_at = now
        self.last = reason
        kind = _NUMBER.sub("#", reason)
        if kind not in self.counts and len(self.counts) >= MOST_REASONS:
            kind = "other reasons"
        self.counts[kind] += 1
        return self.counts[kind] == 1

    def is_news(self, now: float) -> bool:
        """Whether the last refusal was only just now, or time jumped back since."""
        return now - self._last_at <= NEWS_S

    @property
    def total(self) -> int:
        """All refusals together."""
        return sum(self.counts.values())
