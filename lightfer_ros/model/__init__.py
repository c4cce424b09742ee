"""What a model file means: its classes, input, framing and origin. NumPy only."""

from lightfer_ros.model.geometry import CropGeometry
from lightfer_ros.model.labels import EMOTIONS, valence_arousal
from lightfer_ros.model.metadata import ModelMetadata, Normalization

__all__ = ["EMOTIONS", "CropGeometry", "ModelMetadata", "Normalization", "valence_arousal"]
