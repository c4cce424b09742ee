"""The faces that classifiers are compared on: of the sample where it is, made pictures where not."""

from __future__ import annotations

import numpy as np
import pytest

from lightfer_ros.benchmark import faces
from lightfer_ros.benchmark.faces import MADE, faces_for
from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import read_metadata


@pytest.fixture
def metadata():
    return read_metadata(manifest.find("default"))


def test_the_samples_faces_come_with_their_mirror_images(metadata):
    for name in ("sample", "shape_predictor_68"):
        if manifest.locate(name) is None:
            pytest.skip(f"{name} is not here: `lightfer fetch`")
    found, words = faces_for(metadata)
    half = len(found) // 2
    assert words == f"{half} faces of the sample video and their mirror images" and half > 20
    assert np.array_equal(found[:half, :, ::-1], found[half:])
    low, high = sorted(
        (metadata.normalization.offset, metadata.normalization.offset + 255 * metadata.normalization.scale)
    )
    assert low - 1e-5 <= found.min() < found.max() <= high + 1e-5


def test_without_a_sample_pictures_are_made_and_that_is_said(metadata, monkeypatch):
    def missing(_):
        raise ModelError("sample is not here")

    monkeypatch.setattr(faces.manifest, "find", missing)
    made, words = faces_for(metadata)
    side = metadata.input_size
    assert made.shape == (MADE, side, side, metadata.channels) and made.dtype == np.float32
    assert words == f"{MADE} made pictures, since there is no sample: sample is not here"
