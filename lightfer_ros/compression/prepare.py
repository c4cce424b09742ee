"""What an export needs to know first: the trained network, what it is, and its calibration."""

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
from lightfer_ros.compression.running import in_a_mirror, probabilities, to_input
from lightfer_ros.errors import ModelError
from lightfer_ros.evaluation import calibration
from lightfer_ros.evaluation.calibration import Calibration
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.metrics import expected_calibration_error
from lightfer_ros.model import ModelMetadata
from lightfer_ros.model.metadata import read_metadata


def read_float(path: Path) -> tuple[Network, ModelMetadata]:
    """The network in a .keras file of `lightfer train` or a float .onnx of `lightfer export`; its metadata.

    Raises ModelError naming the file when it, its metadata or its hash is missing or wrong, or when it is
    of another format or precision.
    """
    about = read_metadata(path)
    if (about.format, about.precision) not in (("keras", "fp32"), ("onnx", "fp32"), ("onnx", "fp16")):
        raise ModelError(
            f"{path}: it is {about.format} in {about.precision}, expected keras in fp32 or onnx in fp32 or "
            "fp16: what is quantized already cannot be quantized well again"
        )
    network = from_keras(_load(path)) if about.format == "keras" else from_onnx(path)
    return network, dataclasses.replace(about, name=about.network)


@dataclass(frozen=True)
class FittedCalibration:
    """A calibration fitted on all faces given.

    ece, accuracy: before and after, of each half of the faces calibrated by a fit on the other.
    """

    calibration: Calibration
    ece: tuple[float, float]
    accuracy: tuple[float, float]

    def summary(self) -> str:
        """One line."""
        bias = " ".join(f"{b:+.2f}" for b in self.calibration.bias)
        return (
            f"temperature {self.calibration.temperature:.3f}, bias {bias}; on the half not fitted on: "
            f"expected calibration error {self.ece[0]:.4f} → {self.ece[1]:.4f}, "
            f"accuracy {self.accuracy[0]:.4f} → {self.accuracy[1]:.4f}"
        )


def calibration_of(network: Network, faces: FaceSet, about: ModelMetadata) -> FittedCalibration:
    """Fit on each half of the faces and judge on the other; then fit on all.

    Of a network that will look at each face and its mirror image, the mean of its answers is what is fitted.
    """
    model, inputs = to_onnx(network, "probe"), to_input(faces.images, about.normalization)
    p = probabilities(model, inputs)
    if about.mirrored:
        p = (p + probabilities(model, in_a_mirror(inputs))) / 2
    half = np.random.default_rng(0).permutation(len(faces)) % 2 == 0
    judged = np.empty_like(p, np.float64)
    for fit_on in (half, ~half):
        judged[~fit_on] = calibration.fit(p[fit_on], faces.labels[fit_on])(p[~fit_on])
    hits = [each.argmax(1) == faces.labels for each in (p, judged)]
    ece = [expected_calibration_error(each.max(1), hit) for each, hit in zip((p, judged), hits, strict=True)]
    return FittedCalibration(
        calibration.fit(p, faces.labels), (ece[0], ece[1]), (float(hits[0].mean()), float(hits[1].mean()))
    )


def describe(about: ModelMetadata, name: str, comparison: Comparison) -> ModelMetadata:
    """The metadata that all files made of one trained network share, but for hash and precision."""
    weights = sum(count.weights for count in comparison.pruned.values())
    ratio = round(comparison.ratio, 2) if comparison.comparable else None
    return dataclasses.replace(about, name=name, parameters=weights, compression_ratio=ratio)


def _load(path: Path) -> Any:
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises many kinds for a torn or foreign file
        raise ModelError(f"{path}: not a Keras model, or torn ({error})") from None
