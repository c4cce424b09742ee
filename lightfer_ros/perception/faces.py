"""The currency of the house: what is known of all faces in one picture, as one value of arrays."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Dict, Iterable, Tuple

import numpy as np

from lightfer_ros.model.labels import EMOTIONS

STATE_UNSET, DETECTED, TRACKED, PREDICTED = 0, 1, 2, 3
"""How a face came into a picture: found in it by the detector, followed from an earlier one, or expected."""

TURNED, SMALL, BLURRED, DARK, CUT, UNCERTAIN, STALE, OCCLUDED = (1 << i for i in range(8))
"""Bits of `unreliable_reasons`: why a classification is not to be trusted."""


def _array(shape: Tuple[int, ...], dtype: Any, unset: float) -> Any:
    return field(default=None, metadata={"shape": shape, "dtype": dtype, "unset": unset})


@dataclass(frozen=True, eq=False)
class Faces:
    """n faces in one picture; every array's first axis is n, and what is not given is unset.

    boxes: float32 [n, 4], x1, y1, x2, y2 in pixels, may leave the picture.
    confidence: float32 [n], 0 to 1, of the detection. landmarks: float32 [n, 68, 2], pixels, iBUG order.
    track_id: int64 [n], from 1, 0 unset. state: uint8 [n], DETECTED, TRACKED or PREDICTED.
    probabilities: float32 [n, 7] over EMOTIONS, smoothed. pose: float32 [n, 3], yaw, pitch, roll in degrees.
    pose_confidence, reliability: float32 [n], 0 to 1. unreliable_reasons: uint16 [n], bits.
    classification_age, time_in_view: float32 [n], seconds. Unset floats are NaN.
    Raises ValueError where an array does not have its shape.
    """

    boxes: np.ndarray = _array((4,), np.float32, np.nan)
    confidence: np.ndarray = _array((), np.float32, np.nan)
    landmarks: np.ndarray = _array((68, 2), np.float32, np.nan)
    track_id: np.ndarray = _array((), np.int64, 0)
    state: np.ndarray = _array((), np.uint8, STATE_UNSET)
    probabilities: np.ndarray = _array((len(EMOTIONS),), np.float32, np.nan)
    pose: np.ndarray = _array((3,), np.float32, np.nan)
    pose_confidence: np.ndarray = _array((), np.float32, np.nan)
    reliability: np.ndarray = _array((), np.float32, np.nan)
    unreliable_reasons: np.ndarray = _array((), np.uint16, 0)
    classification_age: np.ndarray = _array((), np.float32, np.nan)
    time_in_view: np.ndarray = _array((), np.float32, np.nan)

    def __post_init__(self) -> None:
        count = 0 if self.boxes is None else len(self.boxes)
        for name, spec in _specs().items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), spec, count))

    @staticmethod
    @lru_cache(maxsize=None)
    def empty() -> Faces:
        """No faces: somebody looked and saw nobody."""
        return Faces(boxes=np.empty((0, 4), np.float32))

    @classmethod
    def merge(cls, parts: Iterable[Faces]) -> Faces:
        """All faces of several values, in their order."""
        present = [part for part in parts if len(part)]
        if not present:
            return cls.empty()
        if len(present) == 1:
            return present[0]
        return cls._of({name: np.concatenate([getattr(part, name) for part in present]) for name in _specs()})

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: Any) -> Faces:
        """The faces that a slice, a mask or a list of indices selects; one integer gives one face.

        Arrays may be shared with these.
        """
        if isinstance(index, (int, np.integer)):
            if not -len(self) <= index < len(self):
                raise IndexError(f"face {index} of {len(self)}")
            index = [index]
        elif _leaves_nobody_out(index, len(self)):
            return self
        return Faces._of({name: array[index] for name, array in self.__dict__.items()})

    def replace(self, **arrays: np.ndarray) -> Faces:
        """The same faces with some arrays exchanged."""
        specs, count = _specs(), len(self.boxes)
        changed = {name: _checked(name, value, specs[name], count) for name, value in arrays.items()}
        return Faces._of({**self.__dict__, **changed})

    def copy(self) -> Faces:
        """The same faces in arrays of their own: what is written into them stays there."""
        return Faces._of({name: array.copy() for name, array in self.__dict__.items()})

    def scaled(self, factor: float) -> Faces:
        """The same faces in a picture that is `factor` times as large."""
        # Boxes are edges; a landmark lies in the middle of its pixel.
        landmarks = (self.landmarks + 0.5) * factor - 0.5
        return self.replace(boxes=self.boxes * factor, landmarks=landmarks)

    @classmethod
    def _of(cls, arrays: Dict[str, np.ndarray]) -> Faces:
        """Faces of arrays that have been checked: a frame makes twenty values, and checking takes time."""
        faces = object.__new__(cls)
        faces.__dict__.update(arrays)
        return faces

    @property
    def sides(self) -> np.ndarray:
        """float32 [n]: how wide each box is, pixels."""
        return np.asarray(self.boxes[:, 2] - self.boxes[:, 0])

    @property
    def label(self) -> np.ndarray:
        """int64 [n]: index into EMOTIONS of the most probable expression, −1 where unset."""
        unset = np.isnan(self.probabilities).any(axis=1)
        return np.where(unset, -1, self.probabilities.argmax(axis=1))


@lru_cache(maxsize=None)
def _specs() -> Dict[str, Tuple[Tuple[int, ...], np.dtype[Any], float]]:
    """Name → shape of one face, dtype, unset value."""
    return {
        entry.name: (entry.metadata["shape"], np.dtype(entry.metadata["dtype"]), entry.metadata["unset"])
        for entry in dataclasses.fields(Faces)
    }


def _leaves_nobody_out(index: Any, count: int) -> bool:
    """Whether it picks everybody in their order, as most of a frame's do: nothing is copied then."""
    if not isinstance(index, np.ndarray) or index.shape != (count,) or index.dtype.kind not in "bi":
        return False
    return bool(index.all() if index.dtype.kind == "b" else (index == np.arange(count)).all())


def _checked(
    name: str, value: Any, spec: Tuple[Tuple[int, ...], np.dtype[Any], float], count: int
) -> np.ndarray:
    shape, dtype, unset = (count, *spec[0]), spec[1], spec[2]
    if value is None:
        return np.full(shape, unset, dtype)
    array: np.ndarray = np.asarray(value, dtype)
    if array.shape != shape:
        raise ValueError(f"faces: {name} has shape {array.shape}, expected {shape}")
    return array
