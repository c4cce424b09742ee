"""A trained network as plain arrays: the few operations that Xception is made of, in the order they run.

Exporters, equalisation and counting all read this; none of them needs the framework that trained it.
Arrays are NCHW, as ONNX has them, and batch normalization is folded into the convolutions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lightfer_ros.errors import ModelError
from lightfer_ros.evaluation.calibration import Calibration


@dataclass(frozen=True)
class Conv:
    """kernel: float32 [out, in / groups, h, w]. bias: float32 [out]. pads: top, left, bottom, right."""

    name: str
    inputs: tuple[str]
    kernel: np.ndarray
    bias: np.ndarray
    stride: int = 1
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    groups: int = 1

    @property
    def depthwise(self) -> bool:
        """Whether every channel is filtered on its own."""
        return self.groups > 1 and self.groups == self.kernel.shape[0]


@dataclass(frozen=True)
class Relu:
    """max(x, 0)."""

    name: str
    inputs: tuple[str]


@dataclass(frozen=True)
class MaxPool:
    """The largest value in each window of `size` x `size`."""

    name: str
    inputs: tuple[str]
    size: int
    stride: int
    pads: tuple[int, int, int, int]


@dataclass(frozen=True)
class Add:
    """The sum of two tensors of one shape."""

    name: str
    inputs: tuple[str, str]


@dataclass(frozen=True)
class GlobalAverage:
    """[n, c, h, w] → [n, c]."""

    name: str
    inputs: tuple[str]


@dataclass(frozen=True)
class Dense:
    """kernel: float32 [in, out]. bias: float32 [out]. The last one gives the logits."""

    name: str
    inputs: tuple[str]
    kernel: np.ndarray
    bias: np.ndarray


Operation = Conv | Relu | MaxPool | Add | GlobalAverage | Dense


@dataclass(frozen=True)
class Network:
    """operations: in running order; each one's output has its name. input_name: what the first one reads."""

    operations: tuple[Operation, ...]
    input_name: str
    input_size: int
    channels: int

    def __post_init__(self) -> None:
        known = {self.input_name}
        for op in self.operations:
            unknown = [name for name in op.inputs if name not in known]
            if unknown:
                raise ModelError(
                    f"network: {op.name} reads {', '.join(unknown)}, which nothing before it gives"
                )
            known.add(op.name)
        kinds = tuple(type(op) for op in self.operations[-2:])
        if kinds != (GlobalAverage, Dense):
            raise ModelError(
                "network: the last operations must be a global average and the layer of the logits"
            )

    @property
    def logits(self) -> Dense:
        """The last operation."""
        last = self.operations[-1]
        assert isinstance(last, Dense)
        return last

    def consumers(self, name: str) -> tuple[Operation, ...]:
        """The operations that read a tensor."""
        return tuple(op for op in self.operations if name in op.inputs)

    def with_operations(self, changed: dict[str, Operation]) -> Network:
        """The same network with the operations of these names exchanged."""
        return replace(self, operations=tuple(changed.get(op.name, op) for op in self.operations))

    def padding(self, op: Conv | MaxPool) -> str:
        """ "valid" or "same" as Keras, TensorFlow and LiteRT have them: the odd row of "same" lies behind.

        Raises ModelError for pads that are neither.
        """
        window = op.size if isinstance(op, MaxPool) else op.kernel.shape[2]
        size = self.shapes()[op.inputs[0]][1]
        total = max(0, (-(-size // op.stride) - 1) * op.stride + window - size)
        before, behind = total // 2, total - total // 2
        if not any(op.pads):
            return "valid"
        if op.pads != (before, before, behind, behind):
            raise ModelError(
                f"network: {op.name} is padded by {op.pads}, expected none or "
                f"{(before, before, behind, behind)}"
            )
        return "same"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of every tensor without the batch: (c, h, w), after the global average (c,)."""
        out: dict[str, tuple[int, ...]] = {self.input_name: (self.channels, self.input_size, self.input_size)}
        for op in self.operations:
            shape = out[op.inputs[0]]
            if isinstance(op, Conv):
                size = _slid(shape[1:], op.kernel.shape[2], op.stride, op.pads)
                out[op.name] = (op.kernel.shape[0], *size)
            elif isinstance(op, MaxPool):
                out[op.name] = (shape[0], *_slid(shape[1:], op.size, op.stride, op.pads))
            elif isinstance(op, GlobalAverage):
                out[op.name] = shape[:1]
            elif isinstance(op, Dense):
                out[op.name] = (op.kernel.shape[1],)
            else:
                out[op.name] = shape
        return out


def calibrated(network: Network, calibration: Calibration) -> Network:
    """The network with a calibration folded into its last layer."""
    last, temperature = network.logits, np.float32(calibration.temperature)
    bias = last.bias / temperature + np.array(calibration.bias, np.float32)
    return network.with_operations({last.name: replace(last, kernel=last.kernel / temperature, bias=bias)})


def _slid(
    size: tuple[int, ...], window: int, stride: int, pads: tuple[int, int, int, int]
) -> tuple[int, int]:
    h = (size[0] + pads[0] + pads[2] - window) // stride + 1
    w = (size[1] + pads[1] + pads[3] - window) // stride + 1
    return h, w
