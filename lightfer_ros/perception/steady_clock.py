"""Time as the pipeline counts it: never back by a little, as stamps go when a clock is set right."""

from __future__ import annotations

from typing import Optional

LONGEST_STEP_S = 0.5
"""Stamps that go back by more are another recording, or another day."""
TICK_S = 0.001
"""What passes instead where a stamp goes back."""


class SteadyClock:
    """Turns stamps into times that go back only where stamps jump."""

    def __init__(self) -> None:
        self._newest: Optional[float] = None
        self._ahead = 0.0

    def at(self, stamp: float) -> float:
        """The time of a frame with this stamp, seconds. Steps back of up to LONGEST_STEP_S are made good."""
        time = stamp + self._ahead
        if self._newest is not None and time < self._newest:
            if self._newest - time <= LONGEST_STEP_S:
                self._ahead += self._newest - time + TICK_S
            else:
                self._ahead = 0.0
            time = stamp + self._ahead
        self._newest = time
        return time
