"""The fetched photos that tests look at."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest


def photo(name: str) -> np.ndarray:
    """A photo by its name in the manifest, uint8 [h, w, 3] BGR, read-only; without it the test is skipped."""
    try:
        path = manifest.find(name)
    except ModelError as error:
        pytest.skip(str(error))
    picture = cv2.imread(str(path))
    picture.flags.writeable = False
    return picture


def resized(picture: np.ndarray, factor: float) -> np.ndarray:
    """A picture `factor` times as large."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=how)


def placed(picture: np.ndarray, left: int, top: int, width: int = 640, height: int = 480) -> np.ndarray:
    """A grey picture of that size with another at `left`, `top`; what does not fit is cut off."""
    canvas = np.full((height, width, 3), 128, np.uint8)
    part = picture[max(0, -top) : height - top, max(0, -left) : width - left]
    top, left = max(0, top), max(0, left)
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas
