"""The paper's baseline, where Keras is installed, and what is said where it is not."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from lightfer_ros.benchmark.keras_runtime import register_runtime
from lightfer_ros.errors import RuntimeUnavailableError
from lightfer_ros.model import EMOTIONS
from lightfer_ros.model.metadata import ModelMetadata, write_metadata
from lightfer_ros.runtimes import RuntimeOptions, load, registry, runtimes

ONLY = RuntimeOptions(runtime="keras", allow_fallback=False)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Registered for the test alone."""
    monkeypatch.setattr(registry, "_RUNTIMES", dict(registry._RUNTIMES))
    register_runtime()
    register_runtime()
    assert [runtime.name for runtime in runtimes()][-1] == "keras"


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.keras"

    def save(content: bytes = b"not a file of Keras"):
        if content:
            path.write_bytes(content)
        about = ModelMetadata("net", "", "keras", "fp32", 16, 1, "", "none, random weights")
        write_metadata(path, about)
        return path

    return save


def test_without_keras_it_says_what_to_install(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(RuntimeUnavailableError, match=r"keras cannot be imported .* pip install keras, and"):
        load(model(), ONLY)


@pytest.mark.parametrize("last", ["softmax", None], ids=["probabilities", "logits"])
def test_it_gives_probabilities_whichever_way_the_file_ends(model, tmp_path, last, monkeypatch):
    keras = pytest.importorskip("keras", reason="lives in the training environment")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras.utils.set_random_seed(0)
    network = keras.Sequential(
        [
            keras.layers.Input((16, 16, 1)),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(len(EMOTIONS), activation=last),
        ]
    )
    network.save(tmp_path / "net.keras")
    batch = np.random.default_rng(0).random((5, 16, 16, 1), np.float32)
    expected = network.predict(batch, verbose=0)
    if last is None:
        expected = np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True)
    with load(model(content=b""), ONLY) as session:
        np.testing.assert_allclose(session.run(batch), expected, atol=1e-6)
