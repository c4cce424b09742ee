"""Write a network with 4-bit weights in ONNX's own INT4 type: half of INT8 on disk, float at run time.

No engine we know computes convolutions in 4 bits: they unpack the weights at load. A storage format.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from lightfer_ros.compression.graph import Add, Conv, GlobalAverage, MaxPool, Network, Relu
from lightfer_ros.compression.onnx_float import INPUT, GraphWriter
from lightfer_ros.compression.quantize import quantize

OPSET = 21
"""The first opset with INT4."""


def to_onnx_int4(network: Network, name: str, per_channel: bool = True) -> onnx.ModelProto:
    """The network with pointwise and plain convolutions in 4 bits by Eqs. 2–4.

    per_channel: one scale for each output channel, else one for each kernel.

    Depthwise kernels, 4 % of the weights, keep 8 bits: nine 4-bit numbers cannot tell their filters apart.
    """
    writer = GraphWriter(network)
    at = {network.input_name: INPUT}
    for op in network.operations:
        sources = [at[source] for source in op.inputs]
        if isinstance(op, Conv):
            at[op.name] = writer.conv(op, [*sources, *_stored(writer, op, per_channel)], op.name)
        elif isinstance(op, Relu):
            at[op.name] = writer.node("Relu", sources, op.name)
        elif isinstance(op, MaxPool):
            at[op.name] = writer.pool(op, sources[0], op.name)
        elif isinstance(op, Add):
            at[op.name] = writer.node("Add", sources, op.name)
        elif isinstance(op, GlobalAverage):
            writer.head(sources[0])
            break
    return writer.close(name, OPSET)


def _stored(writer: GraphWriter, op: Conv, per_channel: bool) -> list[str]:
    bits = 8 if op.depthwise else 4
    weights = quantize(op.kernel, bits, axis=0 if per_channel else None)
    steps = (1.0 / weights.scale).astype(np.float32).reshape(-1 if per_channel else ())
    scale = writer.constant(f"{op.name}_scale", steps)
    whole = f"{op.name}_int"
    if bits == 8:
        writer.constant(whole, weights.values)
    else:
        packed = _pack(weights.values)
        writer.initializers.append(
            helper.make_tensor(whole, TensorProto.INT4, weights.values.shape, packed, raw=True)
        )
    along = {"axis": 0} if per_channel else {}
    kernel = writer.node("DequantizeLinear", [whole, scale], f"{op.name}_kernel", **along)
    return [kernel, writer.constant(f"{op.name}_bias", op.bias)]


def _pack(values: np.ndarray) -> bytes:
    """Two's-complement nibbles, the first of a pair in the low half, as ONNX lays INT4 out."""
    flat = values.reshape(-1).astype(np.uint8) & 0x0F
    if len(flat) % 2:
        flat = np.append(flat, np.uint8(0))
    return (flat[0::2] | (flat[1::2] << 4)).astype(np.uint8).tobytes()
