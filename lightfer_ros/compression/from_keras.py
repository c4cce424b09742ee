"""Read a Keras model into plain arrays: walk its graph, fold batch normalization, keep what runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from lightfer_ros.compression.graph import (
    Add,
    Conv,
    Dense,
    GlobalAverage,
    MaxPool,
    Network,
    Operation,
    Relu,
)
from lightfer_ros.errors import ModelError


def from_keras(model: Any) -> Network:
    """The Network of a functional Keras 3 model, on whatever backend.

    Raises ModelError naming the first layer that is none of: Conv2D, DepthwiseConv2D, BatchNormalization
    after a convolution, relu, MaxPooling2D, Add, GlobalAveragePooling2D, Dropout, Dense, Softmax at the end.
    """
    walk = _Walk(model)
    for layer in model.layers:
        walk.visit(layer)
    _, height, width, channels = model.input.shape
    if height != width:
        raise ModelError(f"{model.name}: input is {height} x {width}, expected a square")
    return Network(tuple(walk.operations.values()), walk.input_name, int(height), int(channels))


class _Walk:
    """Names of the tensors met so far, and the operations that make them."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.names: dict[int, str] = {}
        self.operations: dict[str, Operation] = {}
        self.input_name = ""

    def visit(self, layer: Any) -> None:
        kind = type(layer).__name__.removeprefix("Native")
        if kind == "InputLayer":
            self.input_name = layer.name
            self.names[id(layer.output)] = layer.name
            return
        nodes = layer._inbound_nodes
        if len(nodes) != 1:
            raise ModelError(
                f"{self.model.name}: layer {layer.name} is used {len(nodes)} times, expected once"
            )
        inputs = tuple(self.names[id(tensor)] for tensor in nodes[0].input_tensors)
        made = self._operation(kind, layer, inputs)
        if made is None:  # an identity when running
            self.names[id(layer.output)] = inputs[0]
            return
        self.operations[made.name] = made
        self.names[id(layer.output)] = made.name

    def _operation(self, kind: str, layer: Any, inputs: Any) -> Operation | None:
        name = layer.name
        if kind == "Conv2D":
            kernel = _array(layer.kernel).transpose(3, 2, 0, 1)
            return self._convolution(layer, inputs, kernel, layer.groups)
        if kind == "DepthwiseConv2D" and layer.depth_multiplier == 1:
            kernel = _array(layer.kernel).transpose(2, 3, 0, 1)
            return self._convolution(layer, inputs, kernel, kernel.shape[0])
        if kind == "BatchNormalization":
            return self._fold(layer, inputs[0])
        if kind == "ReLU" or (kind == "Activation" and layer.activation.__name__ == "relu"):
            return Relu(name, inputs)
        if kind == "MaxPooling2D" and layer.pool_size[0] == layer.pool_size[1]:
            size, stride = layer.pool_size[0], layer.strides[0]
            return MaxPool(name, inputs, size, stride, _pads(layer, size, stride))
        if kind == "Add" and len(inputs) == 2:
            return Add(name, inputs)
        if kind == "GlobalAveragePooling2D" and not layer.keepdims:
            return GlobalAverage(name, inputs)
        if kind in ("Dropout", "DropPath") or (kind == "Softmax" and layer.output is self.model.output):
            return None
        if kind == "Dense" and layer.activation.__name__ == "linear":
            return Dense(name, inputs, _array(layer.kernel), _array(layer.bias))
        raise ModelError(f"{self.model.name}: layer {name} is a {kind} that this exporter does not know")

    def _convolution(self, layer: Any, inputs: Any, kernel: np.ndarray, groups: int) -> Conv:
        if layer.activation.__name__ != "linear" or set(layer.dilation_rate) != {1}:
            raise ModelError(
                f"{self.model.name}: {layer.name} has an activation or dilation, expected neither"
            )
        bias = _array(layer.bias) if layer.use_bias else np.zeros(kernel.shape[0], np.float32)
        size, stride = int(kernel.shape[2]), int(layer.strides[0])
        pads = _pads(layer, size, stride)
        return Conv(layer.name, inputs, np.ascontiguousarray(kernel), bias, stride, pads, groups)

    def _fold(self, layer: Any, source: str) -> Conv:
        before = self.operations.get(source)
        if not isinstance(before, Conv) or list(self.names.values()).count(source) != 1:
            raise ModelError(f"{self.model.name}: {layer.name} does not follow a convolution of its own")
        gain = _array(layer.gamma) / np.sqrt(_array(layer.moving_variance) + np.float32(layer.epsilon))
        kernel = before.kernel * gain[:, None, None, None]
        bias = (before.bias - _array(layer.moving_mean)) * gain + _array(layer.beta)
        del self.operations[source]
        return Conv(source, before.inputs, kernel, bias, before.stride, before.pads, before.groups)


def _array(variable: Any) -> np.ndarray:
    value = variable.numpy() if hasattr(variable, "numpy") else variable
    return np.asarray(value, np.float32)


def _pads(layer: Any, window: int, stride: int) -> tuple[int, int, int, int]:
    if layer.padding == "valid":
        return (0, 0, 0, 0)
    out = []
    for size in layer.input.shape[1:3]:
        total = max(0, (-(-size // stride) - 1) * stride + window - size)
        out.append((total // 2, total - total // 2))  # "same" puts the odd one behind, as TensorFlow does
    (top, bottom), (left, right) = out
    return (top, left, bottom, right)
