"""Where a face will be: constant velocity, damped, as people walk and heads turn."""

from __future__ import annotations

import math

import numpy as np

VELOCITY_TIME_CONSTANT_S = 0.2
"""A change of velocity is believed to 63 % after so long: landmarks tremble, and who is passed by somebody is
carried along for some frames."""

DAMPING_TIME_CONSTANT_S = 0.6
"""Who is not seen is expected to slow down: all in all they go as far as in this time at full speed."""


class Motion:
    """The motion of one box, told where it is from time to time.

    Boxes are float [4], x1, y1, x2, y2, pixels; stamps are seconds.
    """

    def __init__(self, box: np.ndarray, stamp: float) -> None:
        self._centre = (box[:2] + box[2:]) / 2.0
        self._half = (box[2:] - box[:2]) / 2.0
        self._velocity = np.zeros(2)
        self._stamp = stamp

    def seen(self, box: np.ndarray, stamp: float, sure: bool = True) -> None:
        """The face is here now. Where that is not sure, its velocity stays what it was."""
        centre = (box[:2] + box[2:]) / 2.0
        elapsed = stamp - self._stamp
        if sure and elapsed > 0.0:
            weight = 1.0 - math.exp(-elapsed / VELOCITY_TIME_CONSTANT_S)
            self._velocity += weight * ((centre - self._centre) / elapsed - self._velocity)
        self._centre, self._half, self._stamp = centre, (box[2:] - box[:2]) / 2.0, stamp

    def expected(self, stamp: float) -> np.ndarray:
        """The box at another time, float [4]; where time has not gone on, where it was seen last."""
        elapsed = max(stamp - self._stamp, 0.0)
        travel_s = DAMPING_TIME_CONSTANT_S * -math.expm1(-elapsed / DAMPING_TIME_CONSTANT_S)
        centre = self._centre + self._velocity * travel_s
        return np.concatenate([centre - self._half, centre + self._half])
