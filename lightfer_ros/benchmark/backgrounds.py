"""Photos that come with scikit-image, to show people before."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from lightfer_ros.benchmark.scenes import HEIGHT, WIDTH
from lightfer_ros.errors import DataError


@cache
def background(name: str) -> np.ndarray:
    """The photo with that file name, uint8 [480, 640, 3] BGR, cut to 4:3; it is shared: copy before writing.

    Raises DataError without scikit-image, or where the photo cannot be read.
    """
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise DataError(f"background {name} comes with scikit-image: `pip install scikit-image`")
    path = Path(package.origin).parent / "data" / name
    photo = cv2.imread(str(path))
    if photo is None:
        raise DataError(f"background {path} cannot be read")
    height, width = photo.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    left, top = (WIDTH - width * scale) / 2, (HEIGHT - height * scale) / 2
    placed = np.array([[scale, 0, left], [0, scale, top]])
    return np.asarray(cv2.warpAffine(photo, placed, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE))
