"""The other ways from a frame to expressions that ours is measured beside, each where it can be installed."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lightfer_ros.errors import LightferError, RuntimeUnavailableError
from lightfer_ros.model import manifest
from lightfer_ros.model.metadata import read_metadata
from lightfer_ros.runtimes import load


@dataclass(frozen=True)
class Peer:
    """One way. make: loads it and returns its function; raises where something is missing.

    The function takes a frame, uint8 [h, w, 3] BGR, and returns how many faces it classified in it.
    """

    name: str
    detector: str
    model: str
    runtime: str
    make: Callable[[], Callable[[np.ndarray], int]]


def make(peer: Peer) -> Callable[[np.ndarray], int]:
    """Load a peer. Raises RuntimeUnavailableError saying what to install, or ModelError."""
    try:
        return peer.make()
    except LightferError:
        raise
    except Exception as error:  # foreign packages fail in many ways
        raise RuntimeUnavailableError(f"{peer.name}: {type(error).__name__}: {error}") from error


def _paper() -> Callable[[np.ndarray], int]:
    """dlib HOG on every frame, 68 landmarks, the unpruned Xception in FP32 at 71×71."""
    from lightfer_ros.benchmark.paper_pipeline import PaperPipeline

    pipeline = PaperPipeline()
    return lambda bgr: len(pipeline.process(bgr))


def _fer() -> Callable[[np.ndarray], int]:
    """The package fer with its defaults: Haar cascade and mini-XCEPTION in TensorFlow Lite."""
    try:
        from fer.fer import FER
    except ImportError as error:
        raise RuntimeUnavailableError(
            f"the package fer cannot be imported ({error}): pip install fer, best in an environment of its "
            "own, since it brings TensorFlow and another OpenCV"
        ) from error
    detector = FER(mtcnn=False)
    return lambda bgr: len(detector.detect_emotions(bgr))


def _haar() -> Callable[[np.ndarray], int]:
    """As the many tutorials do: Haar cascade with OpenCV's usual settings, each box resized, one by one."""
    cascade_file = _cascade_file()
    if not hasattr(cv2, "CascadeClassifier"):
        raise RuntimeUnavailableError(f"OpenCV {cv2.__version__} has no CascadeClassifier: take one before 5")
    cascade = cv2.CascadeClassifier(str(cascade_file))
    cv2.setNumThreads(1)
    model = manifest.find("mini_xception")
    metadata = read_metadata(model)
    session = load(model)
    norm, side = metadata.normalization, metadata.input_size

    def process(bgr: np.ndarray) -> int:
        grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
        boxes = cascade.detectMultiScale(grey, 1.3, 5)
        for x, y, width, height in boxes:
            crop = cv2.resize(grey[y : y + height, x : x + width], (side, side)).astype(np.float32)
            session.run(crop[None, :, :, None] * np.float32(norm.scale) + np.float32(norm.offset))
        return len(boxes)

    return process


def _cascade_file() -> Path:
    name = "haarcascade_frontalface_default.xml"
    folders: list[Any] = [Path("/usr/share/opencv4/haarcascades"), Path("/usr/share/opencv/haarcascades")]
    if hasattr(cv2, "data"):  # pip's OpenCV; the system's has them elsewhere
        folders.insert(0, Path(cv2.data.haarcascades))
    for folder in folders:
        if (folder / name).is_file():
            return Path(folder / name)
    raise RuntimeUnavailableError(f"{name} is not here: pip install 'opencv-python<5', or apt's opencv-data")


PEERS = {
    peer.name: peer
    for peer in (
        Peer(
            "paper",
            "dlib_hog",
            "Xception, random weights",
            "onnxruntime",
            _paper,
        ),
        Peer(
            "haar",
            "haar",
            "mini_xception",
            "onnxruntime",
            _haar,
        ),
        Peer("fer", "haar", "mini_xception", "tflite", _fer),
    )
}
