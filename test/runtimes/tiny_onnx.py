"""Writes the tiny network as an ONNX file: FP32, FP16-stored, and INT8 with Q/DQ nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def onnx_file(
    weights: dict[str, np.ndarray],
    size: int,
    layout: str = "nhwc",
    batch: int | str = "n",
    opset: int = 13,
    half: bool = False,
) -> bytes:
    """Convolution, ReLU, mean, dense, softmax. `half` stores the weights in FP16, widened in the graph."""
    nchw, channels = layout == "nchw", weights["kernel"].shape[1]
    shape = [batch, channels, size, size] if nchw else [batch, size, size, channels]
    nodes = [] if nchw else [helper.make_node("Transpose", ["crops"], ["x"], perm=[0, 3, 1, 2])]
    if half:
        weights = {f"{name}_half": value.astype(np.float16) for name, value in weights.items()}
        for name in weights:
            nodes.append(helper.make_node("Cast", [name], [name[:-5]], to=TensorProto.FLOAT))
    nodes += [
        helper.make_node("Conv", ["crops" if nchw else "x", "kernel"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("GlobalAveragePool", ["b"], ["c"]),
        helper.make_node("Flatten", ["c"], ["d"]),
        helper.make_node("MatMul", ["d", "dense"], ["e"]),
        helper.make_node("Softmax", ["e"], ["probabilities"], axis=1),
    ]
    return serialized(
        nodes,
        {"crops": shape},
        {"probabilities": [batch, 7]},
        weights,
        opset,
    )


def serialized(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, list],
    outputs: dict[str, list],
    weights: dict[str, np.ndarray],
    opset: int = 13,
) -> bytes:
    """A checked ONNX file of these nodes; all inputs and outputs are float32."""
    values = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends.items()]
        for ends in (inputs, outputs)
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", *values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def quantized(path: Path, calibration: np.ndarray, symmetric: bool) -> None:
    """Quantize a file in place, per channel; activations unsigned for CPUs, `symmetric` for TensorRT."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = iter([{"crops": calibration}])

        def get_next(self):
            return next(self._batches, None)

    float_path = path.with_suffix(".float.onnx")
    path.rename(float_path)
    quantization.quantize_static(
        str(float_path),
        str(path),
        Reader(),
        quant_format=quantization.QuantFormat.QDQ,
        per_channel=True,
        activation_type=quantization.QuantType.QInt8 if symmetric else quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        extra_options={"ActivationSymmetric": symmetric, "WeightSymmetric": True},
    )
