"""Write a network as ONNX in float: FP32, or FP16 throughout for engines that read it from the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lightfer_ros.compression.graph import Add, Conv, GlobalAverage, MaxPool, Network, Relu
from lightfer_ros.errors import ConfigurationError
from lightfer_ros.model import EMOTIONS

INPUT, OUTPUT = "faces", "probabilities"
OPSETS = (13, 18)
IR_VERSIONS = {13: 7, 18: 8, 21: 10}


class GraphWriter:
    """Collects nodes and initializers, and closes them to a checked model."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add an initializer; returns its name."""
        # Not np.ascontiguousarray: it turns a scalar into a list of one, which ONNX Runtime 1.23
        # and older refuse as the scale of a sum.
        self.initializers.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def conv(self, op: Conv, inputs: list[str], output: str) -> str:
        """Add the Conv node of an operation; inputs: data, kernel, bias."""
        return self.node(
            "Conv",
            inputs,
            output,
            kernel_shape=list(op.kernel.shape[2:]),
            strides=[op.stride] * 2,
            pads=list(op.pads),
            group=op.groups,
        )

    def float_conv(self, op: Conv, source: str, kind: type[np.floating[Any]] = np.float32) -> str:
        """Add a convolution with its weights as they are, in the precision `kind`."""
        kernel = self.constant(f"{op.name}_kernel", op.kernel.astype(kind))
        bias = self.constant(f"{op.name}_bias", op.bias.astype(kind))
        return self.conv(op, [source, kernel, bias], op.name)

    def pool(self, op: MaxPool, source: str, output: str) -> str:
        """Add the MaxPool node of an operation."""
        return self.node(
            "MaxPool",
            [source],
            output,
            kernel_shape=[op.size] * 2,
            strides=[op.stride] * 2,
            pads=list(op.pads),
        )

    def head(self, source: str) -> None:
        """Add what follows the last map, in FP32: global average, dense layer, softmax."""
        logits = self.network.logits
        mean = self.node("GlobalAveragePool", [source], "pool_map")
        flat = self.node("Flatten", [mean], "pool", axis=1)
        kernel = self.constant(f"{logits.name}_kernel", logits.kernel)
        bias = self.constant(f"{logits.name}_bias", logits.bias)
        self.node("Gemm", [flat, kernel, bias], "logits_out")
        self.node("Softmax", ["logits_out"], OUTPUT, axis=1)

    def close(self, name: str, opset: int) -> onnx.ModelProto:
        """The finished model: float32 [n, c, s, s] → float32 [n, 7], n free."""
        size = self.network.input_size
        faces = helper.make_tensor_value_info(
            INPUT, TensorProto.FLOAT, ["n", self.network.channels, size, size]
        )
        out = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", len(EMOTIONS)])
        graph = helper.make_graph(self.nodes, name, [faces], [out], self.initializers)
        model = helper.make_model(
            graph,
            producer_name="lightfer",
            opset_imports=[helper.make_opsetid("", opset)],
            ir_version=IR_VERSIONS[opset],
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def to_onnx(network: Network, name: str, opset: int = 18, half: bool = False) -> onnx.ModelProto:
    """The network as float ONNX with the batch size free, giving probabilities.

    half: weights and maps are FP16; input, global mean, logits and softmax stay FP32, since a mean over
    a map can leave FP16's range. Raises ConfigurationError for an opset other than 13 or 18.
    """
    if opset not in OPSETS:
        raise ConfigurationError(f"export: opset is {opset}, expected one of {OPSETS}")
    writer = GraphWriter(network)
    kind = np.float16 if half else np.float32
    at = {network.input_name: INPUT}
    if half:
        at[network.input_name] = writer.node("Cast", [INPUT], "faces_half", to=TensorProto.FLOAT16)
    for op in network.operations:
        sources = [at[name] for name in op.inputs]
        if isinstance(op, Conv):
            at[op.name] = writer.float_conv(op, sources[0], kind)
        elif isinstance(op, Relu):
            at[op.name] = writer.node("Relu", sources, op.name)
        elif isinstance(op, MaxPool):
            at[op.name] = writer.pool(op, sources[0], op.name)
        elif isinstance(op, Add):
            at[op.name] = writer.node("Add", sources, op.name)
        elif isinstance(op, GlobalAverage):
            last = sources[0]
            if half:
                last = writer.node("Cast", [last], "last_map_float", to=TensorProto.FLOAT)
            writer.head(last)
            break
    return writer.close(name, opset)
