"""The kinds of model file that an export can write, by name: format, precision, and how each is made."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from lightfer_ros.compression.calibrate import Range
from lightfer_ros.compression.graph import Network
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.onnx_int4 import to_onnx_int4
from lightfer_ros.compression.onnx_int8 import CPU, TENSORRT, Dialect, to_onnx_int8
from lightfer_ros.compression.running import litert_probabilities, probabilities
from lightfer_ros.model import ModelMetadata


@dataclass(frozen=True)
class Material:
    """What files are made of.

    quantizable: the network, equalised if asked, and the ranges of its maps; worked out when first called.
    opset: of the float ONNX files. per_channel: whether weights have a scale for each output channel.
    """

    name: str
    network: Network
    quantizable: Callable[[], tuple[Network, dict[str, Range]]]
    opset: int = 18
    per_channel: bool = True


class Draft(ABC):
    """A model file that is not on disk yet."""

    opset: int | None = None

    @abstractmethod
    def answers(self, batch: np.ndarray) -> np.ndarray:
        """Probabilities float32 [n, 7] of a batch float32 [n, c, s, s], by an engine for the format."""

    @abstractmethod
    def content(self, about: ModelMetadata) -> bytes:
        """The file, with a copy of its metadata inside, but for its own hash, which cannot be in it."""


@dataclass(frozen=True)
class Kind:
    """ModelMetadata's format, precision and layout; the file's ending; and the maker."""

    format: str
    precision: str
    make: Callable[[Material], Draft]

    @property
    def ending(self) -> str:
        """Of the file's name."""
        return {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}[self.format]

    @property
    def layout(self) -> str:
        """The order of the file's own input."""
        return "nchw" if self.format == "onnx" else "nhwc"


class OnnxDraft(Draft):
    """A model in memory as ONNX has it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.opset = int(model.opset_import[0].version)

    def answers(self, batch: np.ndarray) -> np.ndarray:
        """By ONNX Runtime on the CPU."""
        return probabilities(self.model, batch)

    def content(self, about: ModelMetadata) -> bytes:
        """Metadata is the entry `lightfer` of metadata_props."""
        whole = onnx.ModelProto()
        whole.CopyFrom(self.model)
        entry = whole.metadata_props.add()
        entry.key, entry.value = "lightfer", _without_hash(about)
        return bytes(whole.SerializeToString())


class LiteRtDraft(Draft):
    """A network and how its weights are stored; each call writes the file anew."""

    def __init__(
        self, network: Network, half: bool = False, ranges: Mapping[str, Range] | None = None
    ) -> None:
        self.network, self.half, self.ranges = network, half, ranges

    def answers(self, batch: np.ndarray) -> np.ndarray:
        """By LiteRT's interpreter."""
        return litert_probabilities(self._write({}), batch)

    def content(self, about: ModelMetadata) -> bytes:
        """Metadata is the entry `lightfer` of the model's metadata."""
        return self._write({"lightfer": _without_hash(about)})

    def _write(self, texts: Mapping[str, str]) -> bytes:
        from lightfer_ros.compression.litert import to_litert

        return to_litert(self.network, self.half, self.ranges, texts)


class KerasDraft(Draft):
    """A model in memory as Keras has it."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def answers(self, batch: np.ndarray) -> np.ndarray:
        """By Keras on whatever backend."""
        return np.asarray(self.model.predict(batch.transpose(0, 2, 3, 1), batch_size=64, verbose=0))

    def content(self, about: ModelMetadata) -> bytes:
        """Metadata is the entry `lightfer.json` of the zip that a .keras file is."""
        from lightfer_ros.compression.to_keras import keras_file

        return keras_file(self.model, _without_hash(about))


def _int8(dialect: Dialect) -> Callable[[Material], Draft]:
    def make(material: Material) -> Draft:
        network, ranges = material.quantizable()
        return OnnxDraft(to_onnx_int8(network, ranges, material.name, dialect, material.per_channel))

    return make


def _litert_int8(material: Material) -> Draft:
    network, ranges = material.quantizable()
    return LiteRtDraft(network, ranges=ranges)


def _keras(material: Material) -> Draft:
    from lightfer_ros.compression.to_keras import to_keras

    return KerasDraft(to_keras(material.network, material.name.replace(".", "_")))


def _without_hash(about: ModelMetadata) -> str:
    return dataclasses.replace(about, sha256="").to_json()


KINDS: Mapping[str, Kind] = {
    "fp32": Kind("onnx", "fp32", lambda m: OnnxDraft(to_onnx(m.network, m.name, m.opset))),
    "fp16": Kind("onnx", "fp16", lambda m: OnnxDraft(to_onnx(m.network, m.name, m.opset, half=True))),
    "int8": Kind("onnx", "int8", _int8(CPU)),
    "int8_trt": Kind("onnx", "int8_trt", _int8(TENSORRT)),
    "int4": Kind("onnx", "int4", lambda m: OnnxDraft(to_onnx_int4(m.network, m.name, m.per_channel))),
    "litert_fp32": Kind("litert", "fp32", lambda m: LiteRtDraft(m.network)),
    "litert_fp16": Kind("litert", "fp16", lambda m: LiteRtDraft(m.network, half=True)),
    "litert_int8": Kind("litert", "int8", _litert_int8),
    "keras": Kind("keras", "fp32", _keras),
}
"""All kinds by name. The litert kinds need `ai-edge-litert`, keras needs Keras."""
