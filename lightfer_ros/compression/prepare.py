"""What an export needs to know first: the trained network, what it is, and its temperature."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.compression.from_keras import from_keras
from lightfer_ros.compression.from_onnx import from_onnx
from lightfer_ros.compression.graph import Network
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.ratio import Comparison
from lightfer_ros.compression.running import probabilities, to_input
from lightfer_ros.errors import ModelError
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.metrics import at_temperature, expected_calibration_error, fit_temperature
from lightfer_ros.model import ModelMetadata
from lightfer_ros.model.metadata import read_metadata


def read_float(path: Path) -> tuple[Network, ModelMetadata]:
    """The network in a .keras file of `lightfer train` or an FP32 .onnx of `lightfer export`; its metadata.

    Raises ModelError naming the file when it, its metadata or its hash is missing or wrong, or when it is
    of another format or precision.
    """
    about = read_metadata(path)
    if about.precision != "fp32" or about.format not in ("keras", "onnx"):
        raise ModelError(
            f"{path}: it is {about.format} in {about.precision}, expected keras or onnx in fp32: "
            "what is quantized already cannot be quantized well again"
        )
    network = from_keras(_load(path)) if about.format == "keras" else from_onnx(path)
    return network, dataclasses.replace(about, name=about.name.removesuffix("-fp32").removesuffix("-keras"))


@dataclass(frozen=True)
class FittedTemperature:
    """temperature: fitted on all faces given. ece_before, ece_after: on faces that it was not fitted on."""

    temperature: float
    ece_before: float
    ece_after: float

    def summary(self) -> str:
        """One line."""
        return (
            f"temperature {self.temperature:.3f}; expected calibration error on the half not fitted on "
            f"{self.ece_before:.4f} → {self.ece_after:.4f}"
        )


def temperature_of(network: Network, faces: FaceSet, about: ModelMetadata) -> FittedTemperature:
    """Fit a temperature on each half of the faces and judge it on the other; then fit it on all."""
    p = probabilities(to_onnx(network, "probe"), to_input(faces.images, about.normalization))
    half = np.random.default_rng(0).permutation(len(faces)) % 2 == 0
    before, after = [], []
    for fit_on in (half, ~half):
        judged = p[~fit_on]
        hit = judged.argmax(1) == faces.labels[~fit_on]
        cooled = at_temperature(judged, fit_temperature(p[fit_on], faces.labels[fit_on]))
        before.append(expected_calibration_error(judged.max(1), hit))
        after.append(expected_calibration_error(cooled.max(1), hit))
    return FittedTemperature(fit_temperature(p, faces.labels), float(np.mean(before)), float(np.mean(after)))


def describe(about: ModelMetadata, name: str, comparison: Comparison) -> ModelMetadata:
    """The metadata that all files made of one trained network share, but for hash and precision."""
    weights = sum(count.weights for count in comparison.pruned.values())
    ratio = round(comparison.ratio, 2)
    return dataclasses.replace(about, name=name, parameters=weights, compression_ratio=ratio)


def _load(path: Path) -> Any:
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn or foreign file
        raise ModelError(f"{path}: not a Keras model, or torn ({error})") from None
