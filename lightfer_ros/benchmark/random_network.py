"""Networks with random weights, built as ONNX layer by layer: speed does not depend on weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.files import write_whole
from lightfer_ros.model import EMOTIONS

SEED = 0
INPUT, OUTPUT = "faces", "probabilities"


@dataclass
class RandomNetwork:
    """A classifier as it grows, float32 [n, channels, side, side] → probabilities [n, 7].

    Layers are methods that take a tensor's name and return another's; begin with `INPUT`, end with `head`.
    parameters: as published, four of each batch norm's channels included, although these are folded into the
    convolutions. macs: multiplications of one face. Weights are He's random ones, which keep the activations'
    size: no denormal numbers that would cost time.
    """

    name: str
    side: int
    channels: int
    parameters: int = 0
    macs: int = 0
    _nodes: list[Any] = field(default_factory=list)
    _weights: dict[str, np.ndarray] = field(default_factory=dict)
    _shape: dict[str, tuple[int, int]] = field(default_factory=dict)
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def __post_init__(self) -> None:
        self._shape[INPUT] = (self.channels, self.side)

    def width(self, x: str) -> int:
        """Channels of a tensor."""
        return self._shape[x][0]

    def convolution(
        self,
        x: str,
        channels: int,
        kernel: int,
        stride: int = 1,
        padded: bool = True,
        depthwise: bool = False,
        batch_norm: bool = True,
    ) -> str:
        """A convolution with its batch norm folded in, or with a bias of its own; depthwise, with neither."""
        width, side = self._shape[x]
        inputs = 1 if depthwise else width
        after = -(-side // stride) if padded else (side - kernel) // stride + 1
        fan_in = inputs * kernel * kernel
        # Nothing rectifies between a depthwise layer and the pointwise one after it.
        gain = 1.0 if depthwise else 2.0
        weights = self._random.normal(0.0, np.sqrt(gain / fan_in), (channels, inputs, kernel, kernel))
        names = [x, self._constant(weights)]
        if not depthwise:  # of a folded batch norm its shift remains
            names.append(self._constant(np.zeros(channels)))
            self.parameters += (4 if batch_norm else 1) * channels
        self.parameters += weights.size
        self.macs += weights.size * after * after
        return self.node(
            "Conv",
            names,
            (channels, after),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            group=width if depthwise else 1,
            auto_pad="SAME_UPPER" if padded else "VALID",
        )

    def separable(self, x: str, channels: int) -> str:
        """A 3×3 depthwise convolution and a pointwise one."""
        return self.convolution(self.convolution(x, self.width(x), 3, depthwise=True), channels, 1)

    def relu(self, x: str) -> str:
        """Rectified."""
        return self.node("Relu", [x], self._shape[x])

    def add(self, x: str, y: str) -> str:
        """The sum of two tensors of one shape."""
        return self.node("Add", [x, y], self._shape[x])

    def max_pool(self, x: str, kernel: int, stride: int, padded: bool = True) -> str:
        """The largest of each window; what is left over at the border is padded or left out."""
        width, side = self._shape[x]
        after = -(-side // stride) if padded else (side - kernel) // stride + 1
        return self.node(
            "MaxPool",
            [x],
            (width, after),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            auto_pad="SAME_UPPER" if padded else "VALID",
        )

    def global_average(self, x: str) -> str:
        """The mean of each channel, as a vector."""
        width = self.width(x)
        return self.flatten(self.node("GlobalAveragePool", [x], (width, 1)))

    def flatten(self, x: str) -> str:
        """Everything as a vector."""
        width, side = self._shape[x]
        return self.node("Flatten", [x], (width * side * side, 1))

    def dense(self, x: str, units: int, gain: float = 2.0) -> str:
        """A fully connected layer on a vector."""
        width = self.width(x)
        weights = self._random.normal(0.0, np.sqrt(gain / width), (width, units))
        self.parameters += weights.size + units
        self.macs += weights.size
        return self.node("Gemm", [x, self._constant(weights), self._constant(np.zeros(units))], (units, 1))

    def head(self, x: str) -> None:
        """The dense layer of the classes on a vector, and softmax: the end."""
        x = self.dense(x, len(EMOTIONS), gain=1.0)
        self.node("Softmax", [x], (len(EMOTIONS), 1), output=OUTPUT, axis=1)

    def node(
        self, kind: str, inputs: list[str], shape: tuple[int, int], output: str = "", **attributes: Any
    ) -> str:
        """Any operator. shape: channels and side of what it gives."""
        from onnx import helper

        name = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        self._shape[name] = shape
        return name

    def to_onnx(self) -> Any:
        """The network as an onnx.ModelProto."""
        from onnx import TensorProto, helper, numpy_helper

        shape = ["n", self.channels, self.side, self.side]
        graph = helper.make_graph(
            self._nodes,
            self.name,
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", len(EMOTIONS)])],
            [numpy_helper.from_array(array, name) for name, array in self._weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 7
        return model

    def write(self, path: Path) -> None:
        """Write the ONNX file, whole or not at all; the same network gives the same bytes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, self.to_onnx().SerializeToString(deterministic=True))

    def _constant(self, array: np.ndarray) -> str:
        name = f"weights_{len(self._weights)}"
        self._weights[name] = array.astype(np.float32)
        return name
