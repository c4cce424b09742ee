"""A tiny network with seeded random weights: in plain NumPy, and as a model file with its metadata."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lightfer_ros.model.metadata import ModelMetadata, Normalization, read_metadata, write_metadata

from .fake_pycuda import FakeGpu
from .fake_tensorrt import fake_tensorrt


class TinyNetwork:
    """Convolution 3x3 to 8 filters, ReLU, global mean, dense 7, softmax on crops of 16x16."""

    size = 16

    def weights(self, channels: int = 1) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        kernel, dense = rng.normal(0, 1, (8, channels, 3, 3)), rng.normal(0, 4, (8, 7))
        return {"kernel": kernel.astype(np.float32), "dense": dense.astype(np.float32)}

    def crops(self, count: int, channels: int = 1) -> np.ndarray:
        """Seeded random crops in the network's range, −1 to 1."""
        pixels = np.random.default_rng(count).uniform(-1, 1, (count, self.size, self.size, channels))
        return pixels.astype(np.float32)

    def answer(self, batch: np.ndarray) -> np.ndarray:
        """The reference: nhwc in, probabilities out, in NumPy alone."""
        weights = self.weights(batch.shape[3])
        windows = np.lib.stride_tricks.sliding_window_view(batch, (3, 3), axis=(1, 2))
        features = np.maximum(np.einsum("nyxcij,fcij->nyxf", windows, weights["kernel"]), 0)
        logits = features.mean(axis=(1, 2)) @ weights["dense"]
        exps = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (exps / exps.sum(axis=1, keepdims=True)).astype(np.float32)

    def onnx(self, layout: str = "nhwc", channels: int = 1, batch: int | str = "n") -> bytes:
        """The network as an ONNX file, opset 13."""
        nchw = layout == "nchw"
        shape = [batch, channels, self.size, self.size] if nchw else [batch, self.size, self.size, channels]
        first = [] if nchw else [helper.make_node("Transpose", ["crops"], ["x"], perm=[0, 3, 1, 2])]
        graph = helper.make_graph(
            first
            + [
                helper.make_node("Conv", ["crops" if nchw else "x", "kernel"], ["a"]),
                helper.make_node("Relu", ["a"], ["b"]),
                helper.make_node("GlobalAveragePool", ["b"], ["c"]),
                helper.make_node("Flatten", ["c"], ["d"]),
                helper.make_node("MatMul", ["d", "dense"], ["e"]),
                helper.make_node("Softmax", ["e"], ["probabilities"], axis=1),
            ],
            "tiny",
            [helper.make_tensor_value_info("crops", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [batch, 7])],
            [numpy_helper.from_array(value, name) for name, value in self.weights(channels).items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return model.SerializeToString()

    def save(self, path: Path, content: bytes | None = None, **changes: object) -> Path:
        """Write a model file with its metadata beside it; `changes` are to the metadata."""
        path.write_bytes(self.onnx() if content is None else content)
        record = {
            "name": path.stem,
            "sha256": "",
            "format": "onnx",
            "precision": "fp32",
            "input_size": self.size,
            "channels": 1,
            "licence": "Apache-2.0",
            "training_data": "none, random weights",
            "normalization": Normalization(2 / 255, -1.0),
        }
        write_metadata(path, ModelMetadata(**{**record, **changes}))
        return path

    def save_as(self, runtime: str, precision: str, folder: Path) -> Path:
        """Write the file that a runtime reads in a precision."""
        if runtime == "litert":
            from .tiny_litert import litert_file

            content = litert_file(self.weights(), self.size, precision)
            return self.save(folder / "tiny.tflite", content, format="litert", precision=precision)
        return self.save(folder / "tiny.onnx", precision=precision)

    def rewrite(self, path: Path, content: bytes, **changes: object) -> None:
        """Write other content, or other metadata, and make the hash agree again."""
        metadata = dataclasses.replace(read_metadata(path), **changes)
        path.write_bytes(content)
        write_metadata(path, metadata)


class FakeNvidia:
    """Puts a fake GPU and a fake TensorRT of some version where `import` finds them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch, self.gpus = monkeypatch, []

    def install(self, version: str, **gpu: object) -> ModuleType:
        """Return the fake tensorrt module; its GPU is the last of `gpus`."""
        self.gpus.append(FakeGpu(**gpu))
        pycuda = ModuleType("pycuda")
        pycuda.driver, trt = self.gpus[-1].driver, fake_tensorrt(version, self.gpus[-1])
        modules = {"pycuda": pycuda, "pycuda.driver": pycuda.driver, "pycuda.autoinit": None, "tensorrt": trt}
        for name, module in modules.items():
            self._monkeypatch.setitem(sys.modules, name, module)
        return trt


@pytest.fixture
def nvidia(monkeypatch):
    fake = FakeNvidia(monkeypatch)
    yield fake
    assert [gpu.leaks() for gpu in fake.gpus] == [[] for _ in fake.gpus], "left behind on the GPU"


@pytest.fixture
def tiny() -> TinyNetwork:
    return TinyNetwork()
