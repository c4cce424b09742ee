"""Read a network back from the float ONNX file that `lightfer export` wrote: no Keras is needed for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

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


def from_onnx(path: Path) -> Network:
    """The Network in a float ONNX file with NCHW input and softmax at the end.

    Raises ModelError naming the first node that is none of: Conv, Relu, MaxPool, Add, GlobalAveragePool,
    Flatten, Gemm, Softmax, Cast, or that is not as our exporter writes it.
    """
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's own kinds, by what is wrong with the file
        raise ModelError(f"{path}: not an ONNX file, or torn ({error})") from None
    graph = model.graph
    arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    source = graph.input[0]
    _, channels, height, width = (d.dim_value for d in source.type.tensor_type.shape.dim)
    if height != width:
        raise ModelError(f"{path}: input is {height} x {width}, expected a square")
    operations: list[Operation] = []
    known_as: dict[str, str] = {source.name: source.name}
    for node in graph.node:
        made = _operation(path, node, arrays, known_as)
        if made is not None:
            operations.append(made)
        known_as[node.output[0]] = made.name if made else known_as[node.input[0]]
    return Network(tuple(operations), source.name, int(height), int(channels))


def _operation(
    path: Path, node: Any, arrays: dict[str, np.ndarray], known_as: dict[str, str]
) -> Operation | None:
    name, kind = node.output[0], node.op_type
    has = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    inputs = [known_as[i] for i in node.input if i in known_as]
    weights = [arrays[i] for i in node.input if i in arrays]
    if kind == "Conv" and len(weights) == 2 and weights[0].dtype in (np.float32, np.float16):
        pads, group = tuple(has["pads"]), has.get("group", 1)
        kernel, bias = (array.astype(np.float32) for array in weights)
        return Conv(name, (inputs[0],), kernel, bias, has["strides"][0], pads, group)
    if kind == "Relu":
        return Relu(name, (inputs[0],))
    if kind == "MaxPool":
        pads = tuple(has["pads"])
        return MaxPool(name, (inputs[0],), has["kernel_shape"][0], has["strides"][0], pads)
    if kind == "Add" and len(inputs) == 2:
        return Add(name, (inputs[0], inputs[1]))
    if kind == "GlobalAveragePool":
        return GlobalAverage(name, (inputs[0],))
    if kind == "Gemm" and len(weights) == 2 and not has.get("transB"):
        return Dense("logits", (inputs[0],), weights[0], weights[1])
    if kind in ("Flatten", "Softmax", "Cast"):  # what an FP16 file casts is the same values
        return None
    raise ModelError(
        f"{path}: node {node.name} is a {kind} that a float file of `lightfer export` has not, "
        "expected such a file"
    )
