"""A .keras file of plain layers says what the network says, and is read back as the same network."""

import os

import numpy as np
import pytest

from lightfer_ros.compression.from_keras import from_keras
from lightfer_ros.compression.prepare import read_float
from lightfer_ros.compression.running import to_input
from lightfer_ros.compression.to_keras import keras_file, to_keras
from lightfer_ros.errors import ModelError
from lightfer_ros.model import ModelMetadata, Normalization
from lightfer_ros.model.metadata import write_metadata

from .tiny import faces, run_slowly, tiny_network

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", reason="needs the training extra")


def test_a_written_file_loads_anywhere_and_answers_the_same(tmp_path):
    network = tiny_network()
    batch = to_input(faces(20), Normalization(2 / 255, -1.0))
    (tmp_path / "tiny.keras").write_bytes(keras_file(to_keras(network, "tiny"), "{}"))
    model = keras.models.load_model(tmp_path / "tiny.keras")
    answers = model.predict(batch.transpose(0, 2, 3, 1), verbose=0)
    assert np.abs(answers - run_slowly(network, batch)).max() < 1e-5
    again = from_keras(model)
    for ours, theirs in zip(network.operations, again.operations, strict=True):
        assert type(ours) is type(theirs) and ours.name == theirs.name
        if hasattr(ours, "kernel"):
            assert np.array_equal(ours.kernel, theirs.kernel) and np.array_equal(ours.bias, theirs.bias)


def test_a_file_of_another_architecture_is_refused_by_the_layer_that_is_unknown(tmp_path):
    path = tmp_path / "other.keras"
    source = keras.Input((16, 16, 1))
    keras.Model(source, keras.layers.Conv2DTranspose(3, 3, name="up")(source), name="other").save(path)
    about = ModelMetadata("other", "", "keras", "fp32", 16, 1, "none", "none")
    write_metadata(path, about)
    with pytest.raises(ModelError, match="other: layer up is a Conv2DTranspose that"):
        read_float(path)


def test_a_torn_file_is_named(tmp_path):
    path = tmp_path / "torn.keras"
    path.write_bytes(keras_file(to_keras(tiny_network(), "tiny"), "{}")[:-100])
    write_metadata(path, ModelMetadata("torn", "", "keras", "fp32", 16, 1, "none", "none"))
    with pytest.raises(ModelError, match=r"torn\.keras: not a Keras model, or torn"):
        read_float(path)
