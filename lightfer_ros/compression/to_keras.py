"""A network as a Keras model of plain layers, batch normalization folded, probabilities out."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.compression.graph import Add, Conv, Dense, GlobalAverage, MaxPool, Network, Operation, Relu
from lightfer_ros.errors import ModelError

METADATA_ENTRY = "lightfer.json"
"""A .keras file is a zip; Keras passes over entries that it does not know."""


def to_keras(network: Network, name: str) -> Any:
    """A functional keras.Model: float32 [n, s, s, c] → probabilities float32 [n, 7].

    Raises ModelError for a convolution that is neither plain nor depthwise, or padding that Keras lacks.
    """
    import keras

    source = keras.Input((network.input_size, network.input_size, network.channels), name=network.input_name)
    at: dict[str, Any] = {network.input_name: source}
    arrays: dict[str, list[np.ndarray]] = {}
    for op in network.operations:
        layer = _layer(network, op)
        inputs = [at[known] for known in op.inputs]
        at[op.name] = layer(inputs if len(inputs) > 1 else inputs[0])
        arrays[op.name] = _arrays(op)
    answer = keras.layers.Softmax(name="probabilities")(at[network.logits.name])
    model = keras.Model(source, answer, name=name)
    for known, values in arrays.items():
        if values:
            model.get_layer(known).set_weights(values)
    return model


def keras_file(model: Any, metadata: str) -> bytes:
    """The content of a .keras file, with a copy of the metadata (JSON text) inside."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        content = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(METADATA_ENTRY, metadata)
    return content.getvalue()


def _layer(network: Network, op: Operation) -> Any:
    from keras import layers

    if isinstance(op, Conv):
        options = {"kernel_size": op.kernel.shape[2], "strides": op.stride, "padding": network.padding(op)}
        if op.depthwise:
            return layers.DepthwiseConv2D(name=op.name, **options)
        if op.groups > 1:
            raise ModelError(f"Keras: {op.name} has {op.groups} groups, expected 1 or one a channel")
        return layers.Conv2D(op.kernel.shape[0], name=op.name, **options)
    if isinstance(op, MaxPool):
        return layers.MaxPooling2D(op.size, op.stride, padding=network.padding(op), name=op.name)
    if isinstance(op, Dense):
        return layers.Dense(op.kernel.shape[1], name=op.name)
    if isinstance(op, Relu):
        return layers.ReLU(name=op.name)
    if isinstance(op, Add):
        return layers.Add(name=op.name)
    assert isinstance(op, GlobalAverage)
    return layers.GlobalAveragePooling2D(name=op.name)


def _arrays(op: Operation) -> list[np.ndarray]:
    """An operation's weights in Keras' order of axes."""
    if isinstance(op, Conv):
        return [op.kernel.transpose((2, 3, 0, 1) if op.depthwise else (2, 3, 1, 0)), op.bias]
    return [op.kernel, op.bias] if isinstance(op, Dense) else []
