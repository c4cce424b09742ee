"""What an export needs to know first: the network, its reference, its temperature, its description."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightfer_ros.compression.from_keras import from_keras
from lightfer_ros.compression.graph import Conv, Network
from lightfer_ros.compression.onnx_float import to_onnx
from lightfer_ros.compression.ratio import count_layers
from lightfer_ros.compression.running import probabilities, to_input
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.metrics import (
    at_temperature,
    expected_calibration_error,
    fit_temperature,
)
from lightfer_ros.model import ModelMetadata, Normalization

NORMALIZATION = Normalization(scale=2.0 / 255.0, offset=-1.0)
"""What networks of `lightfer train` are fed: pixel values from −1 to 1."""


def read_network(path: Path) -> Network:
    """The network in a `.keras` file, or the averaged one in a checkpoint of `lightfer train`."""
    from lightfer_ros.training.artifact import averaged_network, load_keras

    model = load_keras(path) if path.suffix == ".keras" else averaged_network(path)[0]
    return from_keras(model)


def reference_like(network: Network) -> Network:
    """Xception as published, width 1.0, with the input and strides of `network`: U of Eq. 1."""
    from lightfer_ros.training.network import NetworkOptions, build_xception

    strides = {op.name: op.stride for op in network.operations if isinstance(op, Conv)}
    options = NetworkOptions(
        input_size=network.input_size,
        stem_strides=(strides["stem1"], strides["stem2"]),
        entry_strides=(
            strides["entry1_shortcut"],
            strides["entry2_shortcut"],
            strides["entry3_shortcut"],
        ),
        exit_stride=strides["exit1_shortcut"],
    )
    return from_keras(build_xception(options, name="xception"))


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


def temperature_of(network: Network, faces: FaceSet) -> FittedTemperature:
    """Fit a temperature on each half of the faces and judge it on the other; then fit it on all."""
    p = probabilities(to_onnx(network, "probe"), to_input(faces.images, NORMALIZATION))
    half = np.random.default_rng(0).permutation(len(faces)) % 2 == 0
    before, after = [], []
    for fit_on in (half, ~half):
        judged = p[~fit_on]
        hit = judged.argmax(1) == faces.labels[~fit_on]
        cooled = at_temperature(judged, fit_temperature(p[fit_on], faces.labels[fit_on]))
        before.append(expected_calibration_error(judged.max(1), hit))
        after.append(expected_calibration_error(cooled.max(1), hit))
    return FittedTemperature(fit_temperature(p, faces.labels), float(np.mean(before)), float(np.mean(after)))


def describe(name: str, network: Network, ratio: float, licence: str) -> ModelMetadata:
    """The metadata that all files made of one trained network share, but for hash and precision."""
    weights = sum(count.weights for count in count_layers(network).values())
    return ModelMetadata(
        name=name,
        sha256="",
        format="onnx",
        precision="fp32",
        input_size=network.input_size,
        channels=network.channels,
        licence=licence,
        training_data="FER2013 Training, FER+ votes",
        layout="nchw",
        normalization=NORMALIZATION,
        parameters=weights,
        compression_ratio=round(ratio, 2),
        source="trained by LightFER (lightfer train)",
        description="Xception with global average pooling, uniformly thin, for 48-pixel grey faces",
    )
