"""What several tests of perception need, and takes a while to load."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor


@pytest.fixture(scope="session")
def dlib_predictor() -> DlibLandmarkPredictor:
    """The paper's landmarks; without their file the test is skipped."""
    try:
        return DlibLandmarkPredictor(manifest.find("shape_predictor_68"))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def person() -> np.ndarray:
    """One smiling face about 126 px wide in 640x480."""
    return placed(resized(photo("photo_single_face"), 0.6), 100, 60)


@pytest.fixture(scope="session")
def several() -> np.ndarray:
    """Five people in a photo."""
    return photo("photo_multi_face")


@pytest.fixture(scope="session")
def vga_photo(several) -> np.ndarray:
    """The same, uint8 [480, 640, 3] BGR."""
    return cv2.resize(several, (640, 480))
