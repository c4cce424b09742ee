"""How accuracy changes with what happens to faces in the wild: framing, turns, blur, light, JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Iterator, Tuple

import numpy as np

from lightfer_ros.evaluation.answers import answers
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.metrics import Interval, wilson
from lightfer_ros.runtimes import Session

Change = Callable[[np.ndarray, float], np.ndarray]
"""uint8 [s, s] and a strength → uint8 [s, s]."""


@dataclass(frozen=True)
class Point:
    """Accuracy at one strength of one change, a fraction, with its 95 % interval."""

    change: str
    strength: float
    accuracy: float
    interval: Interval


def padding(face: np.ndarray, extra: float) -> np.ndarray:
    """The face cut wider by `extra` of its side in all (0.3: 30 % more); negative cuts it tighter.

    What the wider cut shows beyond the picture is its edge repeated: FER2013 has nothing else to show.
    """
    return _warp(face, 1.0 / (1.0 + extra), 0.0, 0.0)


def shift(face: np.ndarray, fraction: float) -> np.ndarray:
    """The face moved right and down by this fraction of the side."""
    return _warp(face, 1.0, 0.0, fraction)


def rotation(face: np.ndarray, degrees: float) -> np.ndarray:
    """The face turned in the picture."""
    return _warp(face, 1.0, degrees, 0.0)


def blur(face: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur, sigma in pixels of the model's input."""
    import cv2

    return face if sigma_px == 0 else np.asarray(cv2.GaussianBlur(face, (0, 0), sigma_px))


def brightness(face: np.ndarray, factor: float) -> np.ndarray:
    """Every pixel times `factor`, as exposure does; bright ones clip."""
    return np.clip(face * factor, 0, 255).astype(np.uint8)


def jpeg(face: np.ndarray, quality: float) -> np.ndarray:
    """Through JPEG at a quality of 1 to 100."""
    import cv2

    _, code = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE))


def face_size(face: np.ndarray, side_px: float) -> np.ndarray:
    """The face as a camera sees it that has only `side_px` pixels across it, enlarged again."""
    import cv2

    size = int(side_px)
    if size >= len(face):
        return face
    small = cv2.resize(face, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR))


CHANGES: Dict[str, Tuple[Change, Tuple[float, ...]]] = {
    "padding": (padding, (-0.2, -0.1, 0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)),
    "shift": (shift, (-0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2)),
    "rotation": (rotation, (-45, -30, -20, -10, 0, 10, 20, 30, 45)),
    "blur": (blur, (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)),
    "brightness": (brightness, (0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)),
    "jpeg": (jpeg, (5, 10, 20, 35, 50, 75, 95)),
    "face_size": (face_size, (12, 16, 20, 24, 32, 40, 48)),
}
"""Each change and the strengths it is measured at: fractions, degrees, pixels, factor, quality, pixels."""


def measure(session: Session, faces: FaceSet, names: Tuple[str, ...] = tuple(CHANGES)) -> Iterator[Point]:
    """Accuracy of a model on all faces under each change, strength after strength."""
    for name in names:
        change, strengths = CHANGES[name]
        for strength in strengths:
            changed = np.stack([change(face, strength) for face in faces.images])
            hits = int((answers(session, changed).argmax(1) == faces.labels).sum())
            yield Point(name, strength, hits / len(faces), wilson(hits, len(faces)))


def _warp(face: np.ndarray, scale: float, degrees: float, move: float) -> np.ndarray:
    import cv2

    side = len(face)
    middle = (side - 1) / 2.0
    matrix = np.asarray(cv2.getRotationMatrix2D((middle, middle), degrees, scale), np.float64)
    matrix[:, 2] += move * side
    moved = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved)
