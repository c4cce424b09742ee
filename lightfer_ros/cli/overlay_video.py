"""The overlay as a video in real time, written while it comes, and a few of its pictures kept."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional, Tuple

import cv2

from lightfer_ros.cli.letterbox import letterbox
from lightfer_ros.errors import LightferError
from lightfer_ros.perception.decode import decode_compressed

RATE = 30.0

KEPT_EVERY_S = 0.5
"""A picture so often is enough for a contact sheet, and an hour's are still few megabytes."""


class OverlayVideo:
    """A video in which each picture stays until the next one came; `pictures` keeps some, with times.

    It has the size of the first picture; others are fitted into that.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Optional[cv2.VideoWriter] = None
        self._size = (0, 0)
        self._written = 0
        self.pictures: List[Tuple[float, bytes]] = []

    def add(self, at: float, jpeg: bytes) -> None:
        """Add the overlay of `at` seconds from the start. Raises LightferError where it cannot be written."""
        bgr = decode_compressed("jpeg", jpeg).bgr
        if self._writer is None:
            self._size = (bgr.shape[1], bgr.shape[0])
            code = cv2.VideoWriter.fourcc(*"mp4v")
            self._writer = cv2.VideoWriter(str(self._path), code, RATE, self._size)
            if not self._writer.isOpened():
                raise LightferError(f"{self._path}: OpenCV {cv2.__version__} cannot write a video there")
        due = round(at * RATE) + 1
        frame = letterbox(bgr, self._size)
        while self._written < due:
            self._writer.write(frame)
            self._written += 1
        if not self.pictures or at - self.pictures[-1][0] >= KEPT_EVERY_S:
            self.pictures.append((at, jpeg))

    def close(self) -> None:
        """Finish the file. Raises LightferError where it is not there: a full disk shows only now."""
        if self._writer is None:
            return
        self._writer.release()
        if not cv2.VideoCapture(str(self._path)).isOpened():
            raise LightferError(f"{self._path} was not written whole: is the disk full?")
