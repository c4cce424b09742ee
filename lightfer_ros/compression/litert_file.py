"""Write a network as a LiteRT (.tflite) file, straight with the format's own schema: no TensorFlow is needed.

The schema comes with `ai-edge-litert`: https://github.com/google-ai-edge/LiteRT, `schema.fbs`. Maps are NHWC,
kernels [out, h, w, in], depthwise ones [1, h, w, channel]. The batch size is free: the runtime resizes it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lightfer_ros.errors import RuntimeUnavailableError

try:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema
except ImportError as error:
    raise RuntimeUnavailableError(f"LiteRT files need `pip install ai-edge-litert` ({error})") from None

__all__ = ["LiteRtWriter", "schema"]

FILE_IDENTIFIER = b"TFL3"
VERSION = 3

_TYPES = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}
_OPERATOR_VERSIONS = {
    **dict.fromkeys(("CONV_2D", "DEPTHWISE_CONV_2D", "DEQUANTIZE"), 3),
    **dict.fromkeys(("FULLY_CONNECTED", "MEAN", "QUANTIZE", "SOFTMAX"), 1),
}
"""Since when each takes what we give it (8-bit maps, FP16 weights); 2 for the others."""


class LiteRtWriter:
    """Collects tensors and operators, and closes them to the content of a file."""

    def __init__(self) -> None:
        self._model, self._graph = schema.ModelT(), schema.SubGraphT()
        self._model.version = VERSION
        self._model.buffers = [schema.BufferT()]  # buffer 0 is empty by convention
        self._model.operatorCodes, self._model.subgraphs, self._model.metadata = [], [self._graph], []
        self._graph.tensors, self._graph.operators = [], []
        self._codes: dict[str, int] = {}

    def value(
        self, name: str, shape: tuple[int, ...], dtype: Any = np.float32, scale: float = 0.0, zero: int = 0
    ) -> int:
        """Add a tensor that is computed, with a free batch before `shape`; returns its index.

        scale, zero: of an 8-bit tensor, value = scale · (integer − zero).
        """
        index = self._tensor(name, (1, *shape), dtype)
        self._graph.tensors[index].shapeSignature = [-1, *shape]
        if scale:
            self._graph.tensors[index].quantization = _quantization(np.array([scale]), [zero], 0)
        return index

    def constant(self, name: str, array: np.ndarray, scales: np.ndarray | None = None, axis: int = 0) -> int:
        """Add a tensor with content; returns its index. scales: one for each index along `axis`."""
        index = self._tensor(name, array.shape, array.dtype)
        self._graph.tensors[index].buffer = self._buffer(np.ascontiguousarray(array).tobytes())
        if scales is not None:
            self._graph.tensors[index].quantization = _quantization(scales, [0] * len(scales), axis)
        return index

    def widened(self, name: str, array: np.ndarray) -> int:
        """Add a constant stored in FP16 and turned into FP32 when it is loaded; returns the FP32 tensor."""
        stored = self.constant(f"{name}_half", array.astype(np.float16))
        whole = self._tensor(name, array.shape, np.dtype(np.float32))
        self.node("DEQUANTIZE", [stored], whole)
        return whole

    def node(self, kind: str, inputs: list[int], output: int, options_name: str = "", **options: Any) -> None:
        """Add an operator by its name in the schema; options: fields of that kind of options."""
        node = schema.OperatorT()
        node.opcodeIndex, node.inputs, node.outputs = self._code(kind), inputs, [output]
        if options_name:
            node.builtinOptionsType = getattr(schema.BuiltinOptions, options_name)
            node.builtinOptions = getattr(schema, f"{options_name}T")()
            for field, value in options.items():
                setattr(node.builtinOptions, field, value)
        self._graph.operators.append(node)

    def close(self, source: int, answer: int, metadata: dict[str, str]) -> bytes:
        """The content of the file. metadata: texts to carry along, by name."""
        self._graph.inputs, self._graph.outputs = [source], [answer]
        self._model.description = b"LightFER"
        for name, text in metadata.items():
            entry = schema.MetadataT()
            entry.name, entry.buffer = name, self._buffer(text.encode())
            self._model.metadata.append(entry)
        builder = flatbuffers.Builder()
        builder.Finish(self._model.Pack(builder), FILE_IDENTIFIER)
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: tuple[int, ...], dtype: Any) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), _TYPES[np.dtype(dtype)]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _buffer(self, content: bytes) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._model.buffers.append(buffer)
        return len(self._model.buffers) - 1

    def _code(self, kind: str) -> int:
        if kind not in self._codes:
            code = schema.OperatorCodeT()
            number = getattr(schema.BuiltinOperator, kind)
            # readers older than 2020 know only this byte, 127 stands for "look at the other field"
            code.builtinCode, code.deprecatedBuiltinCode = number, min(number, 127)
            code.version = _OPERATOR_VERSIONS.get(kind, 2)
            self._codes[kind] = len(self._model.operatorCodes)
            self._model.operatorCodes.append(code)
        return self._codes[kind]


def _quantization(scales: np.ndarray, zeros: list[int], axis: int) -> Any:
    quantization = schema.QuantizationParametersT()
    quantization.scale = [float(scale) for scale in scales]
    quantization.zeroPoint = zeros
    quantization.quantizedDimension = axis
    return quantization
