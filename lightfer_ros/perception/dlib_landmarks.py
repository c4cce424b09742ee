"""68 landmarks per face by dlib's shape predictor (Kazemi & Sullivan 2014), as the paper has them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Optional

import dlib
import numpy as np

from lightfer_ros.errors import ModelError
from lightfer_ros.perception.heap import on_huge_pages
from lightfer_ros.perception.interruptible_file import interruptible
from lightfer_ros.perception.landmarks import COUNT


class DlibLandmarkPredictor:
    """Finds the 68 landmarks of faces whose boxes are known (Kazemi & Sullivan 2014, trained on 300-W)."""

    name = "dlib"

    def __init__(self, path: Path, stop_fd: Optional[int] = None) -> None:
        """Load the predictor, about 75 MB of memory. Raises ModelError where dlib cannot read it.

        stop_fd: a file descriptor that is readable once loading shall stop; that raises ModelError, too.
        Without one, or where no other process can be started, nothing can interrupt dlib, which holds
        Python's lock while it loads.
        """
        try:
            with on_huge_pages():  # a fit reads 4 MB of it, scattered
                self._predictor = _load(path, stop_fd)
        except RuntimeError as error:
            raise ModelError(f"landmark file {path} cannot be read by dlib: {error}") from None

    def predict(self, grey: np.ndarray, boxes: np.ndarray, before: Optional[np.ndarray] = None) -> np.ndarray:
        """See LandmarkPredictor.predict. A fit begins at the mean face in the box, whatever was `before`."""
        found = np.empty((len(boxes), COUNT, 2), np.float32)
        for points, (x1, y1, x2, y2) in zip(found, np.rint(boxes).astype(int).tolist()):
            shape = self._predictor(grey, dlib.rectangle(x1, y1, x2 - 1, y2 - 1))
            points[:] = [(point.x, point.y) for point in shape.parts()]
        return found


def _load(path: Path, stop_fd: Optional[int]) -> dlib.shape_predictor:
    if stop_fd is not None:
        with contextlib.suppress(OSError), interruptible(path, stop_fd) as source:
            return dlib.shape_predictor(str(source))
    return dlib.shape_predictor(str(path))
