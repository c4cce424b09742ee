"""People on their way through a scene: what a camera sees of each, and where the face is, at any time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from lightfer_ros.benchmark.cutout import Cutout
from lightfer_ros.benchmark.track_scenarios import HEIGHT, WIDTH, Walk
from lightfer_ros.benchmark.turning_people import TurningPerson, View

SHUTTER_S = 1 / 60
"""How long the camera looks at each picture; who moves meanwhile is blurred."""

KEPT_SIGHTS = 16
"""Pictures of a person from different sides that are kept: drawing one takes tens of milliseconds."""


@dataclass(frozen=True)
class _Swing:
    """A head's unrest in one direction: a few slow sines, in units of `amount`."""

    amount: float
    frequencies: np.ndarray
    phases: np.ndarray

    @classmethod
    def random(cls, amount: float, random: np.random.Generator) -> _Swing:
        return cls(amount, random.uniform(0.1, 0.7, 3), random.uniform(0, 2 * np.pi, 3))

    def at(self, seconds: float) -> float:
        return float(self.amount * np.sin(2 * np.pi * self.frequencies * seconds + self.phases).mean())


@dataclass(frozen=True, eq=False)
class _Sight:
    """A person from one side. levels: the picture, then each half as large as the one before.

    box: float64 [4], the face's in the first, of which it fills the share `face_alpha`.
    """

    levels: list[np.ndarray]
    box: np.ndarray
    face_alpha: float
    shows_face: bool

    @classmethod
    def of(cls, person: Cutout | TurningPerson, yaw_deg: int) -> _Sight:
        view = (
            person.view(yaw_deg)
            if isinstance(person, TurningPerson)
            else View(person.picture, person.box, True)
        )
        levels = [view.picture]
        while min(levels[-1].shape[:2]) > 64:  # so that warping never skips pixels
            height, width = (size // 2 for size in levels[-1].shape[:2])
            even = levels[-1][: 2 * height, : 2 * width]
            levels.append(np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)))
        x1, y1, x2, y2 = np.rint(view.box).astype(int)
        face_alpha = float(view.picture[y1:y2, x1:x2, 3].mean()) / 255.0
        return cls(levels, view.box, face_alpha, view.shows_face)


class Walker:
    """A person on the way: picture and box at any time."""

    def __init__(self, walk: Walk, person: Cutout | TurningPerson, random: np.random.Generator) -> None:
        """person: of `walk.person`, a TurningPerson where the walk has turns."""
        from scipy.interpolate import PchipInterpolator

        points = np.array(walk.points, float)
        self._first, self._last = points[0, 0], points[-1, 0]
        self._way = PchipInterpolator(points[:, 0], points[:, 1:])
        turns = np.array(walk.turns or ((0.0, 0.0), (1.0, 0.0)), float)
        self._turn = PchipInterpolator(turns[:, 0], turns[:, 1])
        self._turn_first, self._turn_last = turns[0, 0], turns[-1, 0]
        self._across, self._up = (_Swing.random(walk.sway, random) for _ in range(2))
        self._roll = _Swing.random(8.0, random)  # degrees
        self._pivot = (person.box[:2] + person.box[2:]) / 2
        self._width = float(person.box[2] - person.box[0])
        self._sight = lru_cache(maxsize=KEPT_SIGHTS)(lambda yaw_deg: _Sight.of(person, yaw_deg))

    def is_there(self, seconds: float) -> bool:
        """Whether the person is in the scene."""
        return bool(self._first <= seconds <= self._last)

    def shows_face(self, seconds: float) -> bool:
        """Whether the face is turned so that something of it can be seen."""
        return self._sight(self._yaw_deg(seconds)).shows_face

    def box(self, seconds: float) -> np.ndarray:
        """The face's box, float64 [4], pixels."""
        x, y, side, roll = self._place(seconds)
        box = self._sight(self._yaw_deg(seconds)).box
        scale = side / self._width
        turn = cv2.getRotationMatrix2D((0, 0), roll, scale)
        centre = [x, y] + turn[:, :2] @ ((box[:2] + box[2:]) / 2 - self._pivot)
        half = scale * (box[2] - box[0]) / 2
        return np.asarray(np.concatenate([centre - half, centre + half]), np.float64)

    def face_area(self, seconds: float) -> float:
        """Pixels that the face fills in its box when nothing hides it."""
        x1, _, x2, _ = self.box(seconds)
        return float(self._sight(self._yaw_deg(seconds)).face_alpha * (x2 - x1) ** 2)

    def image(self, seconds: float) -> np.ndarray:
        """float32 [480, 640, 4], premultiplied: the mean over the time that the shutter is open."""
        begin, end = (self._place(seconds + half) for half in (-SHUTTER_S / 2, SHUTTER_S / 2))
        travelled = np.hypot(end[0] - begin[0], end[1] - begin[1]) + abs(end[2] - begin[2]) / 2
        yaws = [self._yaw_deg(seconds + half) for half in (-SHUTTER_S / 2, SHUTTER_S / 2)]
        steps = int(np.ceil(max(travelled, abs(yaws[1] - yaws[0])))) + 1  # a degree is about a pixel
        image = np.zeros((HEIGHT, WIDTH, 4), np.float32)
        for offset in (np.arange(steps) + 0.5) / steps - 0.5:
            image += self._warped(seconds + offset * SHUTTER_S)
        image /= steps
        return image

    def _place(self, seconds: float) -> tuple[float, float, float, float]:
        """Centre x and y, side, roll in degrees: of the face where it looks ahead."""
        x, y, side = self._way(np.clip(seconds, self._first, self._last))
        x, y = x + self._across.at(seconds) * side, y + self._up.at(seconds) * side / 2
        return float(x), float(y), float(side), self._roll.at(seconds)

    def _yaw_deg(self, seconds: float) -> int:
        return round(float(self._turn(np.clip(seconds, self._turn_first, self._turn_last))))

    def _warped(self, seconds: float) -> np.ndarray:
        x, y, side, roll = self._place(seconds)
        levels = self._sight(self._yaw_deg(seconds)).levels
        scale = side / self._width
        level = int(np.clip(np.floor(-np.log2(scale)), 0, len(levels) - 1))
        turn = np.array(cv2.getRotationMatrix2D((0, 0), roll, scale), np.float64)
        turn[:, 2] = [x, y] - turn[:, :2] @ self._pivot
        shrunk = 2.0**level  # a coordinate names a pixel's middle: 0.5 off in each level
        turn[:, 2] += turn[:, :2] @ np.full(2, (shrunk - 1) / 2)
        turn[:, :2] *= shrunk
        return np.asarray(cv2.warpAffine(levels[level], turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR))
