"""Who is where in every frame of a video: the JSON file that trackers are measured against."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.files import write_whole


@dataclass(frozen=True, eq=False)
class TrackedBoxes:
    """The faces of one frame, true or reported.

    ids: int64 [n], each at most once. boxes: float64 [n, 4], x1, y1, x2, y2 in pixels, may leave the picture.
    Raises ValueError for other shapes, an id given twice, a box that is not finite or has no area.
    """

    ids: np.ndarray
    boxes: np.ndarray

    def __post_init__(self) -> None:
        ids, boxes = np.asarray(self.ids, np.int64), np.asarray(self.boxes, np.float64)
        if ids.ndim != 1 or boxes.shape != (len(ids), 4):
            raise ValueError(f"ids {list(ids.shape)} and boxes {list(boxes.shape)}, expected [n] and [n, 4]")
        if len(np.unique(ids)) != len(ids):
            raise ValueError(f"ids are {ids.tolist()}, expected each at most once")
        if not np.isfinite(boxes).all() or (boxes[:, 2:] <= boxes[:, :2]).any():
            raise ValueError(f"boxes are {boxes.tolist()}, expected finite x1 < x2, y1 < y2")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "boxes", boxes)

    @classmethod
    def none(cls) -> TrackedBoxes:
        """A frame in which nobody is."""
        return cls(np.empty(0), np.empty((0, 4)))

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Truth:
    """The true faces of a video, frame by frame. fps: frames per second."""

    fps: float
    frames: tuple[TrackedBoxes, ...]

    @property
    def most_faces(self) -> int:
        """The largest number of faces in one frame."""
        return max(map(len, self.frames), default=0)


def read_truth(path: Path) -> Truth:
    """Read `{"fps": 30, "frames": [[{"id": 1, "box": [x1, y1, x2, y2]}, …], …]}`.

    Other fields are ignored, they may be notes of whoever made it. Raises DataError naming file, frame, face
    and field, what was given and what was expected.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"truth {path} cannot be read: {error}") from None
    try:
        return _truth(document)
    except ValueError as error:
        raise DataError(f"truth {path}: {error}") from None


def write_truth(truth: Truth, path: Path) -> None:
    """Write what `read_truth` reads, boxes to a hundredth of a pixel; the file is whole or not there."""
    frames = [
        [
            {"id": face, "box": box}
            for face, box in zip(seen.ids.tolist(), seen.boxes.round(2).tolist(), strict=True)
        ]
        for seen in truth.frames
    ]
    write_whole(path, (json.dumps({"fps": truth.fps, "frames": frames}) + "\n").encode("utf-8"))


def _truth(document: Any) -> Truth:
    if not isinstance(document, dict):
        raise ValueError(f"given a {type(document).__name__}, expected an object with fps and frames")
    fps = document.get("fps")
    if fps is None or not _is_number(fps) or fps <= 0:
        raise ValueError(f"fps is {_short(fps)}, expected a number above 0")
    frames = document.get("frames")
    if not isinstance(frames, list):
        raise ValueError(f"frames is {_short(frames)}, expected a list")
    return Truth(float(fps), tuple(_frame(index, frame) for index, frame in enumerate(frames)))


def _frame(index: int, faces: Any) -> TrackedBoxes:
    if not isinstance(faces, list):
        raise ValueError(f"frame {index} is {_short(faces)}, expected a list of faces")
    ids, boxes = [], []
    for position, face in enumerate(faces):
        where = f"frame {index}, face {position}"
        if not isinstance(face, dict):
            raise ValueError(f"{where} is {_short(face)}, expected an object with id and box")
        ids.append(_id(where, face.get("id")))
        boxes.append(_box(where, face.get("box")))
    try:
        return TrackedBoxes(np.array(ids, np.int64), np.array(boxes, np.float64).reshape(-1, 4))
    except ValueError as error:
        raise ValueError(f"frame {index}: {error}") from None


def _id(where: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError(f"{where}: id is {_short(value)}, expected an integer of 64 bits")
    return value


def _box(where: str, value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        raise ValueError(f"{where}: box is {_short(value)}, expected four numbers x1, y1, x2, y2")
    x1, y1, x2, y2 = value
    if x1 >= x2 or y1 >= y2:
        raise ValueError(f"{where}: box is {value}, expected x1 < x2 and y1 < y2")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: Any) -> str:
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
