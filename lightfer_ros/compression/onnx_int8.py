"""Write a network as 8-bit ONNX: static quantize/dequantize pairs, weights per channel by Eqs. 2–4.

Two dialects. For CPUs: unsigned activations with a zero point, 32-bit biases, so that ONNX Runtime fuses
nearly all to integer kernels; what these are slow at is left out. For TensorRT: signed activations, zero
point 0 everywhere, float biases, opset 13; it refuses anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx

from lightfer_ros.compression.calibrate import Range, shared
from lightfer_ros.compression.graph import Add, Conv, GlobalAverage, MaxPool, Network, Relu
from lightfer_ros.compression.onnx_float import INPUT, GraphWriter
from lightfer_ros.compression.quantize import quantize


@dataclass(frozen=True)
class Dialect:
    """unsigned: activations are uint8 with a zero point, else int8 around 0. float_bias: biases stay FP32.

    float_first: the first convolution stays float. One channel gives integer kernels nothing to add up: they
    are slower than float ones there, and the input needs no quantizing then.
    sum_again: a ReLU of a sum has that sum written again before it. An integer sum clips for nothing, where a
    ReLU by itself has to unpack its map and quantize it again.
    """

    unsigned: bool
    float_bias: bool
    opset: int
    float_first: bool
    sum_again: bool


CPU = Dialect(unsigned=True, float_bias=False, opset=18, float_first=True, sum_again=True)
TENSORRT = Dialect(unsigned=False, float_bias=True, opset=13, float_first=False, sum_again=False)


def to_onnx_int8(
    network: Network,
    ranges: Mapping[str, Range],
    name: str,
    dialect: Dialect = CPU,
    per_channel: bool = True,
) -> onnx.ModelProto:
    """The network as static QDQ ONNX. ranges: of every map, as `calibrate` gives them.

    per_channel: weights have a scale for each output channel, else one for each kernel.

    The global mean, the dense layer and softmax stay in float: 0.2 % of the weights, and what decides
    confidences.
    """
    writer = _QuantWriter(network, shared(network, ranges), dialect, per_channel)
    again = _sums_behind_relus(network) if dialect.sum_again else {}
    at = {network.input_name: INPUT if dialect.float_first else writer.pair(INPUT, network.input_name)}
    for op in network.operations:
        feeds = network.consumers(op.name)
        if isinstance(op, Conv):
            source = at[op.inputs[0]]
            if source == INPUT:
                writer.float_conv(op, source)
            else:
                writer.quantized_conv(op, source)
            # A ReLU right behind is part of the convolution's own clipping to zero point 0
            alone = len(feeds) == 1 and isinstance(feeds[0], Relu)
            at[op.name] = op.name if alone else writer.pair(op.name, op.name)
        elif isinstance(op, Relu):
            if op.name in again:
                source = writer.node("Add", [at[name] for name in again[op.name].inputs], f"{op.name}_sum")
            else:
                source = at[op.inputs[0]]
            writer.node("Relu", [source], op.name)
            at[op.name] = writer.pair(op.name, op.name)
        elif isinstance(op, MaxPool):
            writer.pool(op, at[op.inputs[0]], op.name)
            at[op.name] = writer.pair(op.name, op.name)
        elif isinstance(op, Add) and any(feed.name not in again for feed in feeds):
            writer.node("Add", [at[name] for name in op.inputs], op.name)
            at[op.name] = writer.pair(op.name, op.name)
        elif isinstance(op, GlobalAverage):
            writer.head(at[op.inputs[0]])
            break
    return writer.close(name, dialect.opset)


def _sums_behind_relus(network: Network) -> dict[str, Add]:
    """For each ReLU of a sum, by its name, that sum."""
    sums = {op.name: op for op in network.operations if isinstance(op, Add)}
    relus = [op for op in network.operations if isinstance(op, Relu)]
    return {relu.name: sums[relu.inputs[0]] for relu in relus if relu.inputs[0] in sums}


class _QuantWriter(GraphWriter):
    """A GraphWriter that knows each tensor's range and its dialect."""

    def __init__(
        self, network: Network, ranges: Mapping[str, Range], dialect: Dialect, per_channel: bool
    ) -> None:
        super().__init__(network)
        self.ranges, self.dialect, self.per_channel = ranges, dialect, per_channel

    def pair(self, tensor: str, known_as: str) -> str:
        """Quantize and dequantize a tensor; returns the name of the result."""
        step, zero = self._grid(known_as)
        scale = self.constant(f"{known_as}_scale", np.asarray(step))
        point = self.constant(f"{known_as}_zero", np.asarray(zero))
        whole = self.node("QuantizeLinear", [tensor, scale, point], f"{known_as}_q")
        return self.node("DequantizeLinear", [whole, scale, point], f"{known_as}_dq")

    def quantized_conv(self, op: Conv, source: str) -> str:
        """Add a convolution whose weights are integers."""
        weights = quantize(op.kernel, 8, axis=0 if self.per_channel else None)
        steps = (1.0 / weights.scale).astype(np.float32).reshape(-1 if self.per_channel else ())
        kernel = self._stored(f"{op.name}_kernel", weights.values, steps)
        if self.dialect.float_bias:
            bias = self.constant(f"{op.name}_bias", op.bias.astype(np.float32))
        else:
            fine = steps * self._grid(op.inputs[0])[0]
            whole = np.rint(op.bias.astype(np.float64) / fine).clip(-(2**31) + 1, 2**31 - 1)
            bias = self._stored(f"{op.name}_bias", whole.astype(np.int32), fine.astype(np.float32))
        return self.conv(op, [source, kernel, bias], op.name)

    def _stored(self, name: str, values: np.ndarray, steps: np.ndarray) -> str:
        zeros = np.zeros(steps.shape, values.dtype)
        parts = [("int", values), ("scale", steps), ("zero", zeros)]
        names = [self.constant(f"{name}_{part}", value) for part, value in parts]
        return self.node("DequantizeLinear", names, name, **({"axis": 0} if steps.ndim else {}))

    def _grid(self, tensor: str) -> tuple[np.float32, np.generic]:
        if self.dialect.unsigned:
            return self.ranges[tensor].unsigned()
        return self.ranges[tensor].symmetric(), np.int8(0)
