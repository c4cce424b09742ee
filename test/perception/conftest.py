"""What several tests of perception need, and takes a while to load."""

from __future__ import annotations

import pytest

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig


@pytest.fixture(scope="session")
def dlib_predictor() -> DlibLandmarkPredictor:
    """The paper's landmarks; without their file the test is skipped."""
    try:
        return DlibLandmarkPredictor(manifest.find("shape_predictor_68"))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def loaded():
    """A pipeline that lets nobody wait, shared by the tests of a module: loading takes a second."""
    try:
        pipeline = Pipeline(PipelineConfig(budget_ms=0.0))
    except ModelError as error:
        pytest.skip(str(error))
    with pipeline:
        yield pipeline


@pytest.fixture
def pipeline(loaded) -> Pipeline:
    """The module's pipeline, as if new."""
    loaded.reset()
    return loaded
