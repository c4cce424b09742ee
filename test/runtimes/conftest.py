"""A tiny network with seeded random weights, in NumPy and as model files, and a GPU that is not there."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lightfer_ros.model.metadata import ModelMetadata, Normalization, read_metadata, write_metadata

from .fake_pycuda import FakeGpu
from .fake_tensorrt import fake_tensorrt
from .tiny_onnx import onnx_file, quantized


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

    def onnx(self, channels: int = 1, **layout: object) -> bytes:
        """The network as the content of an ONNX file; see tiny_onnx for the choices."""
        return onnx_file(self.weights(channels), self.size, **layout)

    def save(self, path: Path, content: bytes | None = None, **changes: object) -> Path:
        """Write a model file with its metadata beside it; `changes` are to the metadata."""
        if content is not None:
            path.write_bytes(content)
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

    def save_as(self, format: str, precision: str, folder: Path) -> Path:
        """Write the network in a format and a precision."""
        path = folder / ("tiny.tflite" if format == "litert" else "tiny.onnx")
        if format == "litert":
            from .tiny_litert import litert_file

            path.write_bytes(litert_file(self.weights(), self.size, precision))
        else:
            path.write_bytes(self.onnx(half=precision == "fp16"))
            if precision.startswith("int8"):
                quantized(path, self.crops(256), symmetric=precision == "int8_trt")
        return self.save(path, format=format, precision=precision)

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

    def remove(self) -> None:
        """A machine without any of it, whatever this one has."""
        for name in ("tensorrt", "pycuda", "pycuda.driver"):
            self._monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def nvidia(monkeypatch):
    fake = FakeNvidia(monkeypatch)
    yield fake
    assert [gpu.leaks() for gpu in fake.gpus] == [[] for _ in fake.gpus], "left behind on the GPU"


@pytest.fixture
def tiny() -> TinyNetwork:
    return TinyNetwork()
