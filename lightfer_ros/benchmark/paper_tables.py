"""The figures of the Light-FER paper's four tables, as printed there."""

from __future__ import annotations

from dataclasses import dataclass

TABLE_1: dict[str, tuple[float, ...]] = {
    "angry": (0.996, 0.000, 0.001, 0.000, 0.002, 0.000, 0.000),
    "disgust": (0.002, 0.997, 0.000, 0.000, 0.000, 0.000, 0.000),
    "fear": (0.003, 0.000, 0.839, 0.000, 0.128, 0.027, 0.003),
    "happy": (0.001, 0.000, 0.001, 0.992, 0.000, 0.005, 0.002),
    "sad": (0.160, 0.001, 0.029, 0.003, 0.414, 0.001, 0.391),
    "surprise": (0.004, 0.000, 0.035, 0.003, 0.000, 0.957, 0.000),
    "neutral": (0.156, 0.000, 0.050, 0.008, 0.271, 0.004, 0.511),
}
"""Share of each true class (row) that was called each class, in the order of EMOTIONS."""

TABLE_2: dict[str, tuple[float | None, float]] = {
    "VGG-Net": (98.98, 59.32),
    "ResNet-50": (98.87, 57.48),
    "Simple CNN": (99.70, 58.90),
    "HOG + CNN": (None, 61.86),
    "Improved Inception": (None, 66.41),
    "Network from [17]": (None, 66.40),
    "CNN + Softmax": (None, 65.03),
    "ShallowNet": (None, 63.49),
    "Light-FER": (82.35, 69.87),
}
"""Accuracy on FER2013, %, in training (None where the paper has none) and test."""


@dataclass(frozen=True)
class PcRow:
    """A row of Table 3: the whole pipeline on a Core i5-10300H with 16 GB."""

    cpu_percent: float
    memory_percent: float
    fps: float


TABLE_3: dict[str, PcRow] = {
    "VGG-Net": PcRow(22.3, 1.6, 11),
    "ResNet-50": PcRow(52.1, 1.3, 15),
    "Simple CNN": PcRow(11.5, 6.1, 19),
    "Light-FER": PcRow(18.4, 1.5, 27),
}


@dataclass(frozen=True)
class NanoRow:
    """A row of Table 4: the whole pipeline on a Jetson Nano; memory in GB."""

    fps: float
    power_mw: float
    cpu_gb: float
    gpu_gb: float
    total_gb: float


TABLE_4: dict[tuple[str, str], NanoRow] = {
    ("Keras", "FP32"): NanoRow(2.5, 3215, 2.1, 1.3, 3.4),
    ("TFLite", "FP32"): NanoRow(4.85, 3310, 0.844, 0.216, 1.06),
    ("TFLite", "FP16"): NanoRow(4.87, 3300, 0.863, 0.216, 1.08),
    ("ONNX Runtime", "FP32"): NanoRow(5.21, 3480, 2.6, 1.3, 3.9),
    ("ONNX Runtime", "FP16"): NanoRow(4.73, 3470, 2.9, 1.0, 3.9),
    ("TensorRT", "FP32"): NanoRow(5.43, 3390, 1.9, 0.467, 2.37),
    ("TensorRT", "FP16"): NanoRow(5.51, 3360, 1.9, 0.467, 2.37),
}
