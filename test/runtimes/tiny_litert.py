"""Writes the tiny network as a LiteRT file, with the file format's own schema and no converter."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}


def litert_file(weights: dict[str, np.ndarray], size: int, precision: str, batch: int = -1) -> bytes:
    """Convolution, ReLU, mean, dense, softmax; nhwc in. INT8 has integer input and output as well."""
    graph = _Graph()
    kernel = weights["kernel"].transpose(0, 2, 3, 1)  # [filter, y, x, channel], as this format has it
    dense = np.ascontiguousarray(weights["dense"].T)
    axes = graph.constant(np.array([1, 2], np.int32))
    if precision == "int8":
        # ranges of the activations of the tiny network on uniform noise in −1 to 1
        crops = graph.value([batch, size, size, kernel.shape[3]], np.int8, 2 / 255, -1)
        kernel, kernel_scale = _symmetric(kernel)
        dense, dense_scale = _symmetric(dense)
        features = graph.value([batch, size - 2, size - 2, 8], np.int8, 8 / 255, -128)
        means = graph.value([batch, 8], np.int8, 1.6 / 255, -128)
        logits = graph.value([batch, 7], np.int8, 32 / 255, 0)
        answer = graph.value([batch, 7], np.int8, 1 / 256, -128)
        filters = graph.constant(kernel, kernel_scale)
        bias = graph.constant(np.zeros(8, np.int32), kernel_scale * 2 / 255)
        matrix = graph.constant(dense, dense_scale)
        offset = graph.constant(np.zeros(7, np.int32), dense_scale * 1.6 / 255)
    else:
        crops = graph.value([batch, size, size, kernel.shape[3]])
        features = graph.value([batch, size - 2, size - 2, 8])
        means, logits, answer = (graph.value([batch, n]) for n in (8, 7, 7))
        filters, matrix = graph.constant(kernel), graph.constant(dense)
        if precision == "fp16":  # stored in FP16, widened when loaded
            halves = graph.constant(kernel.astype(np.float16)), graph.constant(dense.astype(np.float16))
            filters, matrix = graph.value(kernel.shape), graph.value(dense.shape)
            graph.node("DEQUANTIZE", [halves[0]], filters)
            graph.node("DEQUANTIZE", [halves[1]], matrix)
        bias = graph.constant(np.zeros(8, np.float32))
        offset = graph.constant(np.zeros(7, np.float32))
    convolution = schema.Conv2DOptionsT()
    convolution.padding = schema.Padding.VALID
    convolution.strideH = convolution.strideW = 1
    convolution.fusedActivationFunction = schema.ActivationFunctionType.RELU
    softmax = schema.SoftmaxOptionsT()
    softmax.beta = 1.0
    graph.node("CONV_2D", [crops, filters, bias], features, "Conv2DOptions", convolution)
    graph.node("MEAN", [features, axes], means, "ReducerOptions", schema.ReducerOptionsT())
    graph.node("FULLY_CONNECTED", [means, matrix, offset], logits, "FullyConnectedOptions")
    graph.node("SOFTMAX", [logits], answer, "SoftmaxOptions", softmax)
    return graph.file([crops], [answer])


def _symmetric(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scale = np.abs(weights).reshape(len(weights), -1).max(axis=1) / 127
    return np.rint(weights / scale.reshape(-1, *[1] * (weights.ndim - 1))).astype(np.int8), scale


class _Graph:
    def __init__(self) -> None:
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.buffers = 3, [schema.BufferT()]  # buffer 0 is empty by convention
        self.model.operatorCodes, self.model.subgraphs = [], [self.graph]
        self.graph.tensors, self.graph.operators = [], []

    def value(self, shape, dtype=np.float32, scale: float = 0, zero_point: int = 0) -> int:
        tensor = schema.TensorT()
        tensor.shapeSignature = list(shape)
        tensor.shape = [max(1, side) for side in shape]
        tensor.type = TYPES[np.dtype(dtype)]
        tensor.name = f"tensor{len(self.graph.tensors)}"
        if scale:
            tensor.quantization = _quantization([scale], [zero_point])
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, array: np.ndarray, scales: np.ndarray | None = None) -> int:
        index = self.value(array.shape, array.dtype)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        self.graph.tensors[index].buffer = len(self.model.buffers) - 1
        if scales is not None:
            self.graph.tensors[index].quantization = _quantization(scales, [0] * len(scales))
        return index

    def node(self, kind: str, inputs: list[int], output: int, options_name: str = "", options=None) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = {"FULLY_CONNECTED": 4, "CONV_2D": 3}.get(kind, 2)
        self.model.operatorCodes.append(code)
        node = schema.OperatorT()
        node.opcodeIndex = len(self.model.operatorCodes) - 1
        node.inputs, node.outputs = inputs, [output]
        if options_name:
            node.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
            node.builtinOptions = options or getattr(schema, options_name + "T")()
        self.graph.operators.append(node)

    def file(self, inputs: list[int], outputs: list[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder()
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _quantization(scales, zero_points):
    quantization = schema.QuantizationParametersT()
    quantization.scale = [float(scale) for scale in scales]
    quantization.zeroPoint = list(zero_points)
    return quantization
