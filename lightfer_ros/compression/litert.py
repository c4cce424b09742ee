"""A network in LiteRT's operators: FP32, FP16-stored, and INT8 with the same grids as our ONNX files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lightfer_ros.compression.calibrate import Range, shared
from lightfer_ros.compression.graph import Add, Conv, GlobalAverage, MaxPool, Network, Relu
from lightfer_ros.compression.litert_file import LiteRtWriter, schema
from lightfer_ros.compression.quantize import quantize
from lightfer_ros.errors import ModelError
from lightfer_ros.model import EMOTIONS

NO_ACTIVATION = schema.ActivationFunctionType.NONE


def to_litert(
    network: Network,
    half: bool = False,
    ranges: Mapping[str, Range] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """The content of a .tflite file: float32 [n, s, s, c] → probabilities float32 [n, 7], n free.

    half: weights are stored in FP16 and computed with in FP32. ranges: of every map, as `calibrate` gives
    them: then convolutions, sums and pools are 8-bit integers, weights per channel by Eqs. 2–4; the global
    mean, the dense layer and softmax stay in float, as in our ONNX files. Raises ModelError for padding
    that this format does not have.
    """
    return _Translation(network, half, ranges).content(dict(metadata or {}))


class _Translation:
    """Which tensor of the file each map of the network is."""

    def __init__(self, network: Network, half: bool, ranges: Mapping[str, Range] | None) -> None:
        self.network, self.half, self.writer = network, half, LiteRtWriter()
        self.ranges = None if ranges is None else shared(network, ranges)
        self.shapes = network.shapes()
        self.at: dict[str, int] = {}

    def content(self, metadata: dict[str, str]) -> bytes:
        network, writer = self.network, self.writer
        source = writer.value("faces", self._nhwc(network.input_name))
        self.at[network.input_name] = source
        if self.ranges is not None:
            self.at[network.input_name] = self._map(network.input_name)
            writer.node("QUANTIZE", [source], self.at[network.input_name], "QuantizeOptions")
        for op in network.operations:
            if isinstance(op, GlobalAverage):
                return writer.close(source, self._head(op), metadata)
            self._operation(op)
        raise AssertionError("a Network ends with a global average and a dense layer")

    def _operation(self, op: Any) -> None:
        sources = [self.at[name] for name in op.inputs]
        # A ReLU that alone reads a convolution is the convolution's own clipping
        if isinstance(op, Relu) and self._is_fused(op.inputs[0]):
            self.at[op.name] = sources[0]
            return
        known_as = self._fused_into(op) if isinstance(op, Conv) else op.name
        out = self.at[op.name] = self._map(known_as)
        if isinstance(op, Conv):
            self._convolution(op, sources[0], out, clips=known_as != op.name)
        elif isinstance(op, Relu):
            self.writer.node("RELU", sources, out)
        elif isinstance(op, MaxPool):
            self.writer.node(
                "MAX_POOL_2D",
                sources,
                out,
                "Pool2DOptions",
                padding=self._padding(op),
                strideW=op.stride,
                strideH=op.stride,
                filterWidth=op.size,
                filterHeight=op.size,
            )
        elif isinstance(op, Add):
            self.writer.node("ADD", sources, out, "AddOptions", fusedActivationFunction=NO_ACTIVATION)

    def _convolution(self, op: Conv, source: int, out: int, clips: bool) -> None:
        options: dict[str, Any] = {
            "padding": self._padding(op),
            "strideW": op.stride,
            "strideH": op.stride,
            "dilationWFactor": 1,
            "dilationHFactor": 1,
            "fusedActivationFunction": schema.ActivationFunctionType.RELU if clips else NO_ACTIVATION,
        }
        if op.depthwise:
            kind, options_name, order = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", (1, 2, 3, 0)
            options["depthMultiplier"] = 1
        elif op.groups == 1:
            kind, options_name, order = "CONV_2D", "Conv2DOptions", (0, 2, 3, 1)
        else:
            raise ModelError(f"LiteRT: {op.name} has {op.groups} groups, expected 1 or one a channel")
        self.writer.node(kind, [source, *self._weights(op, order)], out, options_name, **options)

    def _weights(self, op: Conv, order: tuple[int, ...]) -> list[int]:
        """Kernel and bias as the precision wants them."""
        writer, axis = self.writer, order.index(0)
        if self.ranges is None:
            kernel = np.ascontiguousarray(op.kernel.transpose(order), np.float32)
            store = writer.widened if self.half else writer.constant
            return [store(f"{op.name}_kernel", kernel), writer.constant(f"{op.name}_bias", op.bias)]
        weights = quantize(op.kernel, 8, axis=0)
        steps = (1.0 / weights.scale.reshape(-1)).astype(np.float32)
        fine = steps * self._grid(op.inputs[0])[0]
        bias = np.rint(op.bias.astype(np.float64) / fine).clip(-(2**31) + 1, 2**31 - 1).astype(np.int32)
        return [
            writer.constant(f"{op.name}_kernel", weights.values.transpose(order), steps, axis),
            writer.constant(f"{op.name}_bias", bias, fine),
        ]

    def _head(self, average: GlobalAverage) -> int:
        """Global mean, dense layer and softmax, in float; returns the tensor of the probabilities."""
        writer, logits, last = self.writer, self.network.logits, self.at[average.inputs[0]]
        channels = self.shapes[average.name]
        if self.ranges is not None:
            whole = writer.value("last_map_float", self._nhwc(average.inputs[0]))
            writer.node("DEQUANTIZE", [last], whole)
            last = whole
        mean = writer.value("mean", channels)
        scores = writer.value("logits", (len(EMOTIONS),))
        answer = writer.value("probabilities", (len(EMOTIONS),))
        axes = writer.constant("height_and_width", np.array([1, 2], np.int32))
        writer.node("MEAN", [last, axes], mean, "ReducerOptions", keepDims=False)
        kernel = writer.constant("logits_kernel", np.ascontiguousarray(logits.kernel.T))
        bias = writer.constant("logits_bias", logits.bias)
        writer.node("FULLY_CONNECTED", [mean, kernel, bias], scores, "FullyConnectedOptions")
        writer.node("SOFTMAX", [scores], answer, "SoftmaxOptions", beta=1.0)
        return answer

    def _map(self, name: str) -> int:
        if self.ranges is None:
            return self.writer.value(name, self._nhwc(name))
        scale, zero = self._grid(name)
        return self.writer.value(name, self._nhwc(name), np.int8, scale, zero)

    def _grid(self, name: str) -> tuple[float, int]:
        """uint8's scale and zero point, the latter moved to int8."""
        assert self.ranges is not None
        step, zero = self.ranges[name].unsigned()
        return float(step), int(zero) - 128

    def _nhwc(self, name: str) -> tuple[int, ...]:
        channels, height, width = self.shapes[name]
        return height, width, channels

    def _fused_into(self, op: Conv) -> str:
        feeds = self.network.consumers(op.name)
        return feeds[0].name if len(feeds) == 1 and isinstance(feeds[0], Relu) else op.name

    def _is_fused(self, name: str) -> bool:
        before = next((op for op in self.network.operations if op.name == name), None)
        return isinstance(before, Conv) and self._fused_into(before) != name

    def _padding(self, op: Any) -> int:
        return int(schema.Padding.VALID if self.network.padding(op) == "valid" else schema.Padding.SAME)
