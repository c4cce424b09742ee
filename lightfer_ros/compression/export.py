"""One trained network out to model files: written, compared with their source, described, or not there."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from lightfer_ros.compression.calibrate import METHODS, Range, calibrate, channel_extremes
from lightfer_ros.compression.check import Agreement, compare_answers, require
from lightfer_ros.compression.equalize import equalize
from lightfer_ros.compression.graph import Network
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.onnx_int4 import to_onnx_int4
from lightfer_ros.compression.onnx_int8 import CPU, TENSORRT, to_onnx_int8
from lightfer_ros.compression.running import probabilities, to_input
from lightfer_ros.errors import ConfigurationError, ModelError
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.metrics import score
from lightfer_ros.model import ModelMetadata
from lightfer_ros.model.metadata import metadata_path, sha256_of, write_metadata


@dataclass(frozen=True)
class QuantizeOptions:
    """How activations get their ranges.

    method: one of `calibrate.METHODS`, or "auto" for the one whose INT8 answers on other training faces
    come nearest to FP32's. balance: see `equalize`. percentile: only for that method. faces: how many
    calibrate, and as many others decide.
    """

    method: str = "auto"
    percentile: float = 99.99
    equalise: bool = True
    balance: float = 0.5
    faces: int = 512


@dataclass(frozen=True)
class Exported:
    """One file: where it lies, what it is, how it answered beside its source."""

    path: Path
    metadata: ModelMetadata
    agreement: Agreement


class Exporter:
    """Writes the kinds of file that are asked for, from one network.

    about: the metadata that all files share; name is the stem of their names. calibration: uint8 training
    faces [n, s, s]. check: labelled faces that every file is compared and scored on, under `check_name`.
    """

    def __init__(
        self,
        network: Network,
        about: ModelMetadata,
        calibration: np.ndarray,
        check: FaceSet,
        check_name: str,
        options: QuantizeOptions = QuantizeOptions(),
    ) -> None:
        self.network, self.about, self.options = network, about, options
        self.calibration = to_input(calibration[: options.faces], about.normalization)
        self.deciding = to_input(calibration[options.faces : 2 * options.faces], about.normalization)
        self.method = options.method
        self.check, self.check_name = check, check_name
        self.faces = to_input(check.images, about.normalization)
        self.source = probabilities(to_onnx(network, about.name), self.faces)
        self._quantizable: tuple[Network, dict[str, Range]] | None = None

    def write(self, folder: Path, kinds: Iterable[str], opset: int | None = None) -> list[Exported]:
        """Write `<name>-<kind>.onnx` with metadata beside and inside for each kind; see KINDS.

        opset: 13 or 18, for the float kinds. Raises ModelError when a file strays from its source outside
        the bound of its kind, ConfigurationError for an unknown kind; what was written before stays.
        """
        folder.mkdir(parents=True, exist_ok=True)
        out = []
        for kind in kinds:
            if kind not in KINDS:
                raise ConfigurationError(f"export: kind is {kind!r}, expected one of {', '.join(KINDS)}")
            out.append(self._write(folder, kind, KINDS[kind](self, opset or 18)))
        return out

    def quantizable(self) -> tuple[Network, dict[str, Range]]:
        """The network, equalised if asked, and the ranges of its maps."""
        if self._quantizable is None:
            network, o = self.network, self.options
            if o.equalise:
                network = equalize(network, channel_extremes(network, self.calibration), o.balance)
            if o.method == "auto" and len(self.deciding):
                self.method = self._nearest(network)
            elif o.method == "auto":
                self.method = METHODS[0]
            ranges = calibrate(network, self.calibration, self.method, o.percentile)
            self._quantizable = network, ranges
        return self._quantizable

    def _nearest(self, network: Network) -> str:
        """The calibration method that moves probabilities least, on faces that did not calibrate."""
        truth = probabilities(to_onnx(network, "float"), self.deciding)

        def error(method: str) -> float:
            ranges = calibrate(network, self.calibration, method, self.options.percentile)
            model = to_onnx_int8(network, ranges, method, CPU)
            return compare_answers(truth, probabilities(model, self.deciding)).mean

        return min(METHODS, key=error)

    def _write(self, folder: Path, kind: str, model: onnx.ModelProto) -> Exported:
        file = f"{self.about.name}-{kind}.onnx"
        answers = probabilities(model, self.faces)
        agreement = compare_answers(self.source, answers)
        require(file, kind, agreement)
        accuracy = {**self.about.accuracy, self.check_name: score(answers, self.check.labels).accuracy}
        about = dataclasses.replace(
            self.about,
            name=f"{self.about.name}-{kind}",
            format="onnx",
            precision=kind,
            layout="nchw",
            opset=int(model.opset_import[0].version),
            accuracy={name: round(value, 4) for name, value in accuracy.items()},
        )
        _embed(model, about)
        path = folder / file
        _write_onnx(model, path)
        write_metadata(path, about)
        return Exported(path, dataclasses.replace(about, sha256=sha256_of(path)), agreement)


def _int8(exporter: Exporter, opset: int) -> onnx.ModelProto:
    network, ranges = exporter.quantizable()
    return to_onnx_int8(network, ranges, exporter.about.name, CPU)


def _int8_trt(exporter: Exporter, opset: int) -> onnx.ModelProto:
    network, ranges = exporter.quantizable()
    return to_onnx_int8(network, ranges, exporter.about.name, TENSORRT)


KINDS: Mapping[str, Callable[[Exporter, int], onnx.ModelProto]] = {
    "fp32": lambda e, opset: to_onnx(e.network, e.about.name, opset),
    "fp16": lambda e, opset: to_onnx(e.network, e.about.name, opset, half=True),
    "int8": _int8,
    "int8_trt": _int8_trt,
    "int4": lambda e, opset: to_onnx_int4(e.network, e.about.name),
}
"""The kinds of ONNX file, by ModelMetadata.precision."""


def _embed(model: onnx.ModelProto, about: ModelMetadata) -> None:
    """Put a copy of the metadata into the file; its own hash cannot be in it and stays empty."""
    entry = model.metadata_props.add()
    entry.key, entry.value = "lightfer", dataclasses.replace(about, sha256="").to_json()


def _write_onnx(model: onnx.ModelProto, path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_bytes(model.SerializeToString())
        os.replace(partial, path)
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error}; nothing was changed") from error
    finally:
        partial.unlink(missing_ok=True)
    # Metadata of an earlier file of this name would describe another one
    metadata_path(path).unlink(missing_ok=True)
