"""What several tests of perception need, and takes a while to load."""

from __future__ import annotations

import pytest

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
