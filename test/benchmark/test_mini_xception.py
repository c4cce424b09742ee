"""mini-XCEPTION's ONNX file gives the answers that Keras gives with the original."""

import csv
import hashlib
import lzma
import os

import cv2
import numpy as np
import pytest

from lightfer_ros.benchmark.mini_xception import ACCURACY, convert, is_current
from lightfer_ros.errors import ModelError
from lightfer_ros.model.labels import EMOTIONS
from lightfer_ros.model.manifest import locate
from lightfer_ros.model.metadata import metadata_path, read_metadata

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("h5py")
pytest.importorskip("onnx")

KERAS_ON_RAMPS = [
    [0.1794864, 0.0000120, 0.0680058, 0.0682216, 0.0238426, 0.1365920, 0.5238397],
    [0.3077168, 0.0000199, 0.2000961, 0.0380961, 0.0314383, 0.0801728, 0.3424601],
]
"""What TensorFlow's Keras 2 (tf_keras 2.21) answers on two ramps of grey: to the right, and down."""


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    source = locate("mini_xception_keras")
    if source is None:
        pytest.skip("mini_xception_keras is not here: `lightfer fetch`")
    target = tmp_path_factory.mktemp("converted") / "mini_xception.onnx"
    convert(source, target)
    return target


def probabilities(model, crops):
    """crops: uint8 [n, 64, 64]. Returns float32 [n, 7], by way of the metadata's normalization."""
    scale = read_metadata(model).normalization
    batch = crops[:, None].astype(np.float32) * np.float32(scale.scale) + np.float32(scale.offset)
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})[0]


def test_it_answers_as_keras_does(converted):
    # On all 3,589 images of PublicTest, Keras and ONNX Runtime 1.32 differ by 1.8e-6 at most and agree on
    # every label; here are two pictures that anybody can make.
    ramp = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))
    given = probabilities(converted, np.stack([ramp, ramp.T]))
    np.testing.assert_allclose(given, KERAS_ON_RAMPS, atol=5e-6)


def test_the_file_is_the_same_wherever_it_is_made(converted):
    actual = hashlib.sha256(converted.read_bytes()).hexdigest()
    assert actual == "85c0111afe97f4907ed82bab162f14c2259ed009b8c665c9ad5abf0b8254a208"


def test_the_metadata_says_how_to_feed_it(converted):
    metadata = read_metadata(converted)
    assert (metadata.input_size, metadata.channels, metadata.layout) == (64, 1, "nchw")
    assert (metadata.normalization.low, metadata.normalization.high) == (-1.0, 1.0)
    assert metadata.classes == EMOTIONS and metadata.parameters == 58_423
    assert is_current(converted)


def test_another_record_is_not_current(converted, tmp_path):
    copy = tmp_path / converted.name
    copy.write_bytes(converted.read_bytes())
    record = metadata_path(converted).read_text()
    metadata_path(copy).write_text(record.replace('"eye_y": 0.', '"eye_y": 0.0'))
    assert not is_current(copy)


def test_a_file_that_keras_did_not_write_is_refused_and_nothing_is_left(tmp_path):
    source = tmp_path / "emotion.hdf5"
    source.write_bytes(b"not HDF5")
    with pytest.raises(ModelError, match=rf"{source} is not the Keras file of mini-XCEPTION"):
        convert(source, tmp_path / "out.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["emotion.hdf5"]


def test_its_accuracy_is_the_one_in_its_metadata(converted):
    path = os.environ.get("FER2013_CSV")
    if not path:
        pytest.skip("FER2013_CSV does not name fer2013.csv or fer2013.csv.xz")
    with lzma.open(path, "rt") if path.endswith(".xz") else open(path) as file:
        rows = [row for row in csv.DictReader(file) if row["Usage"] == "PublicTest"]
    pictures = [np.array(row["pixels"].split(), dtype=np.uint8).reshape(48, 48) for row in rows]
    crops = np.stack([cv2.resize(picture, (64, 64)) for picture in pictures])
    right = probabilities(converted, crops).argmax(axis=1) == [int(row["emotion"]) for row in rows]
    assert round(float(right.mean()), 4) == ACCURACY["fer2013/PublicTest"]
