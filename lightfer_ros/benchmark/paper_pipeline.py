"""The Light-FER paper's own way, the baseline: HOG on every frame, 68 landmarks, the unpruned Xception.

Only its speed and its boxes are asked for: the network has random weights.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lightfer_ros.model import EMOTIONS, CropGeometry, Normalization, manifest
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import LandmarkPredictor

SIDE = 71
"""The smallest picture that Xception as published takes."""

NORMALIZATION = Normalization(scale=2.0 / 255.0, offset=-1.0)

SEED = 0


class PaperPipeline:
    """dlib HOG on grey without upsampling, 68 landmarks, crops of 71×71, Xception FP32; one thread."""

    def __init__(self, xception: Path | None = None) -> None:
        """xception: the network's file, made on first use. Raises ModelError without the landmark file."""
        import onnxruntime

        path = xception or default_path()
        if not path.is_file():
            write_xception(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._detector = make_detector(DetectionOptions("dlib_hog"))
        self._predictor = LandmarkPredictor(manifest.find("shape_predictor_68"))
        cv2.setNumThreads(1)

    def process(self, bgr: np.ndarray) -> Faces:
        """All faces of one frame, uint8 [h, w, 3] BGR, with landmarks and (meaningless) probabilities."""
        frame = Frame.from_array(bgr)
        faces = self._detector.detect(frame)
        if not len(faces):
            return faces
        landmarks = self._predictor.predict(frame.grey, faces.boxes)
        # Channels are swapped in the small crops: cheaper than in the whole frame, to the paper's favour.
        crops = to_crops(bgr, landmarks, CropGeometry(), SIDE, NORMALIZATION)[:, :, :, ::-1]
        batch = np.ascontiguousarray(crops.transpose(0, 3, 1, 2))
        (probabilities,) = self._session.run(None, {"faces": batch})
        return faces.replace(landmarks=landmarks, probabilities=probabilities)


def default_path() -> Path:
    """Where the network is kept: the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "lightfer" / "benchmark" / "xception_71_random.onnx"


def write_xception(path: Path) -> Xception:
    """Write the network, float32 [n, 3, 71, 71] → probabilities [n, 7], and say what it costs; 83 MB.

    Raises ModuleNotFoundError without the package onnx.
    """
    network = Xception()
    network.build()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(network.to_onnx().SerializeToString(deterministic=True))
    os.replace(partial, path)
    return network


@dataclass
class Xception:
    """Xception (Chollet 2017, arXiv:1610.02357, figure 5) as it grows, batch norms folded into convolutions.

    parameters: as published, four of each batch norm's channels included. macs: multiplications of one face.
    Weights are He's random ones, which keep the activations' size: no denormal numbers that would cost time.
    """

    parameters: int = 0
    macs: int = 0
    _nodes: list[Any] = field(default_factory=list)
    _weights: dict[str, np.ndarray] = field(default_factory=dict)
    _shape: dict[str, tuple[int, int]] = field(default_factory=lambda: {"faces": (3, SIDE)})
    _random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def build(self) -> None:
        """Add every layer, first to last."""
        x = self._convolution("faces", 32, 3, stride=2, padded=False)
        x = self._convolution(self._relu(x), 64, 3, padded=False)
        x = self._relu(x)
        for channels, first_relu in ((128, False), (256, True), (728, True)):
            x = self._down(x, (channels, channels), first_relu)
        for _ in range(8):
            y = x
            for _ in range(3):
                y = self._separable(self._relu(y), 728)
            x = self._node("Add", [y, x], self._shape[x])
        x = self._down(x, (728, 1024), True)
        for channels in (1536, 2048):
            x = self._relu(self._separable(x, channels))
        self._head(x)

    def to_onnx(self) -> Any:
        """The network as an onnx.ModelProto."""
        from onnx import TensorProto, helper, numpy_helper

        graph = helper.make_graph(
            self._nodes,
            "xception_random",
            [helper.make_tensor_value_info("faces", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(EMOTIONS)])],
            [numpy_helper.from_array(array, name) for name, array in self._weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 7
        return model

    def _down(self, x: str, channels: tuple[int, int], first_relu: bool) -> str:
        shortcut = self._convolution(x, channels[1], 1, stride=2)
        x = self._separable(self._relu(x) if first_relu else x, channels[0])
        x = self._separable(self._relu(x), channels[1])
        width, side = self._shape[x]
        pooled = self._node(
            "MaxPool", [x], (width, -(-side // 2)), kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"
        )
        return self._node("Add", [pooled, shortcut], self._shape[pooled])

    def _separable(self, x: str, channels: int) -> str:
        return self._convolution(self._convolution(x, self._shape[x][0], 3, depthwise=True), channels, 1)

    def _convolution(
        self,
        x: str,
        channels: int,
        kernel: int,
        stride: int = 1,
        padded: bool = True,
        depthwise: bool = False,
    ) -> str:
        width, side = self._shape[x]
        inputs = 1 if depthwise else width
        after = -(-side // stride) if padded else (side - kernel) // stride + 1
        fan_in = inputs * kernel * kernel
        # Nothing rectifies between a depthwise layer and the pointwise one after it.
        gain = 1.0 if depthwise else 2.0
        weights = self._random.normal(0.0, np.sqrt(gain / fan_in), (channels, inputs, kernel, kernel))
        names = [x, self._constant(weights)]
        if not depthwise:  # the batch norm, folded: its shift remains
            names.append(self._constant(np.zeros(channels)))
            self.parameters += 4 * channels
        self.parameters += weights.size
        self.macs += weights.size * after * after
        return self._node(
            "Conv",
            names,
            (channels, after),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            group=width if depthwise else 1,
            auto_pad="SAME_UPPER" if padded else "VALID",
        )

    def _head(self, x: str) -> None:
        width, classes = self._shape[x][0], len(EMOTIONS)
        x = self._node("GlobalAveragePool", [x], (width, 1))
        x = self._node("Flatten", [x], (width, 1))
        weights = self._random.normal(0.0, np.sqrt(1.0 / width), (width, classes))
        x = self._node("Gemm", [x, self._constant(weights), self._constant(np.zeros(classes))], (classes, 1))
        self._node("Softmax", [x], (classes, 1), output="probabilities", axis=1)
        self.parameters += weights.size + classes
        self.macs += weights.size

    def _relu(self, x: str) -> str:
        return self._node("Relu", [x], self._shape[x])

    def _node(
        self, kind: str, inputs: list[str], shape: tuple[int, int], output: str = "", **attributes: Any
    ) -> str:
        from onnx import helper

        name = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        self._shape[name] = shape
        return name

    def _constant(self, array: np.ndarray) -> str:
        name = f"weights_{len(self._weights)}"
        self._weights[name] = array.astype(np.float32)
        return name
