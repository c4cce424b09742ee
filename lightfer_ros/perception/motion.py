"""Where a face will be: constant velocity, damped, as people walk and heads turn."""

from __future__ import annotations

import math
from typing import Tuple

import numpy as np

VELOCITY_TIME_CONSTANT_S = 0.2
"""A change of velocity is believed to 63 % after so long: landmarks tremble, and who is passed by somebody is
carried along for some frames."""

DAMPING_TIME_CONSTANT_S = 0.6
"""Who is not seen is expected to slow down: all in all they go as far as in this time at full speed."""


class Motion:
    """The motion of one box, told where it is from time to time.

    Boxes are x1, y1, x2, y2, pixels; stamps are seconds.
    """

    def __init__(self, box: np.ndarray, stamp: float) -> None:
        # Numbers, not arrays: of four of those NumPy makes many times the work.
        self._centre_and_half = _centre_and_half(box)
        self._velocity = 0.0, 0.0
        self._stamp = stamp

    def seen(self, box: np.ndarray, stamp: float, sure: bool = True) -> None:
        """The face is here now, float [4]. Where that is not sure, its velocity stays what it was."""
        before, self._centre_and_half = self._centre_and_half, _centre_and_half(box)
        elapsed, self._stamp = stamp - self._stamp, stamp
        if sure and elapsed > 0.0:
            weight = 1.0 - math.exp(-elapsed / VELOCITY_TIME_CONSTANT_S)
            vx, vy = self._velocity
            vx += weight * ((self._centre_and_half[0] - before[0]) / elapsed - vx)
            vy += weight * ((self._centre_and_half[1] - before[1]) / elapsed - vy)
            self._velocity = vx, vy

    def expected(self, stamp: float) -> Tuple[float, float, float, float]:
        """The box at another time; where time has not gone on, where it was seen last."""
        elapsed = max(stamp - self._stamp, 0.0)
        travel_s = DAMPING_TIME_CONSTANT_S * -math.expm1(-elapsed / DAMPING_TIME_CONSTANT_S)
        x, y, half_width, half_height = self._centre_and_half
        x, y = x + self._velocity[0] * travel_s, y + self._velocity[1] * travel_s
        return x - half_width, y - half_height, x + half_width, y + half_height


def _centre_and_half(box: np.ndarray) -> Tuple[float, float, float, float]:
    """x and y of its middle, half its width and height."""
    x1, y1, x2, y2 = box.tolist()
    return (x1 + x2) / 2.0, (y1 + y2) / 2.0, (x2 - x1) / 2.0, (y2 - y1) / 2.0
