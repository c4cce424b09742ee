"""YuNet, a small convolutional face detector, run by ONNX Runtime; it also finds turned and small faces.

Wu, Peng, Yu: YuNet: A Tiny Millisecond-level Face Detector, Machine Intelligence Research 2023. Its file is
the one made for OpenCV's FaceDetectorYN; ONNX Runtime needs a third of OpenCV's time for it, takes regions of
any size without planning anew, and does not depend on the version of OpenCV that a system brings.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import cv2
import numpy as np

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection.detector import Detector
from lightfer_ros.perception.faces import DETECTED, Faces
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.onnx_network import one_thread_session
from lightfer_ros.perception.tracking import box_iou

OVERLAP = 0.3
"""Two boxes that overlap by more (IoU) are one face: the value of YuNet's authors."""

MOST_CANDIDATES = 5000

SIDE = 0.98
SHIFT_DOWN = 0.066
"""dlib's square has a side of SIDE · √(w·h) of YuNet's box, and its centre lies SHIFT_DOWN · h lower: medians
over 759 FER2013 training faces that both detectors found."""

STRIDES = (8, 16, 32)
"""Pixels from one cell to the next in each of the network's three outputs."""

SCAN_SCALE = 0.5
"""Of its own choice it scans at half size: faces of 40 px are 20 px there, which it finds
or glimpses, see SMALL_PX."""

MOST_SCANNED, LEAST_SCANNED = 640 * 480, 320 * 240
"""Pixels: a large frame is reduced to the first, so that a scan has a bound; a small one is scanned at the
second or as it is."""

SMALL_PX, GLIMPSE, CLEAR, MOST_GLIMPSES = 32.0, 0.4, 0.85, 4
"""A face that a scan sees smaller than the first, pixels of the scanned picture, may be too small there for
the network to be sure: from a confidence of GLIMPSE on it is searched, the surest so many of them, and a
face where that is CLEAR. So 37 of 40 faces of 40 px, upright and turned by up to 30 degrees, are found where
a scan finds 23, and nobody where nobody is (docs/realtime.md)."""

_FIXED_INPUT = bytes.fromhex("0a0208010a0208030a030880050a03088005")
_FREE_INPUT = bytes.fromhex("0a0208010a0208030a031201680a03120177")
"""The input's shape in the file, [1, 3, 640, 640], and with names for the last two: ONNX Runtime refuses
sizes other than the file's, which OpenCV does not mind. A number of two bytes and a name of one are as long
in protobuf, so that nothing else moves."""


class YuNetDetector(Detector):
    """Faces from about 16 px of the scanned picture, turned ones too, on colour.

    Upsampling is dlib's word, of no meaning here.
    """

    name = "yunet"
    own_threshold = 0.75
    search_side_px = 48.0

    def __init__(self, scale: float, upsampling: int, threshold: float) -> None:
        super().__init__(scale, upsampling, threshold)
        self._session = _session(manifest.verified("yunet"))
        self._blobs: Dict[Tuple[int, int], np.ndarray] = {}

    def detect(self, frame: Frame, least: Optional[float] = None) -> Faces:
        """See Detector.detect. What a scan only glimpses is searched, which sees it larger."""
        least = self.threshold if least is None else least
        scale = self._scale or _own_scale(frame)
        seen = self._find(frame, (0, 0, frame.width, frame.height), scale, min(least, GLIMPSE))
        found = seen[seen.confidence >= least]
        small = scale * seen.sides < SMALL_PX
        glimpsed = seen[(seen.confidence < self.threshold) & small][:MOST_GLIMPSES]
        return self._searched(frame, found, glimpsed, max(CLEAR, least)) if len(glimpsed) else found

    def _searched(self, frame: Frame, found: Faces, glimpsed: Faces, clear: float) -> Faces:
        """The faces found, and those of the glimpsed that are `clear` when searched; the surest first."""
        sure = found.boxes[found.confidence >= self.threshold]
        for glimpse in glimpsed.boxes:
            faces = self.search(frame, glimpse, clear)
            there = box_iou(faces.boxes, glimpse[None])[:, 0] > OVERLAP
            faces = faces[there & ~(box_iou(faces.boxes, sure) > OVERLAP).any(axis=1)]
            # In the place of what was glimpsed there, and in no other's.
            found = Faces.merge([found[(box_iou(found.boxes, faces.boxes) <= OVERLAP).all(axis=1)], faces])
        return found[np.argsort(-found.confidence, kind="stable")]

    def _find(self, frame: Frame, region: Tuple[int, int, int, int], scale: float, least: float) -> Faces:
        x1, y1, x2, y2 = region
        picture = frame.bgr[y1:y2, x1:x2]
        size = (max(1, round((x2 - x1) * scale)), max(1, round((y2 - y1) * scale)))
        if size != picture.shape[1::-1]:
            # Halving, OpenCV averages four pixels either way, and linearly it does so ten times as fast.
            how = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
            picture = cv2.resize(picture, size, interpolation=how)
        boxes, confidence = self._run(picture, least)
        if not len(boxes):
            return Faces.empty()
        kept = cv2.dnn.NMSBoxes(boxes.tolist(), confidence.tolist(), 0.0, OVERLAP, top_k=MOST_CANDIDATES)
        keep = np.asarray(kept, int).reshape(-1)  # before OpenCV 4.5.4 it had a second axis
        x, y, width, height = (boxes[keep] * ((x2 - x1) / size[0])).T
        half = SIDE * np.sqrt(width * height) / 2
        centre_x, centre_y = x + width / 2, y + height / 2 + SHIFT_DOWN * height
        return Faces(
            boxes=np.stack([centre_x - half, centre_y - half, centre_x + half, centre_y + half], axis=1),
            confidence=confidence[keep],
            state=np.full(len(keep), DETECTED, np.uint8),
        )

    def _run(self, picture: np.ndarray, least: float) -> Tuple[np.ndarray, np.ndarray]:
        """Boxes, x, y, width, height, float32 [n, 4], and confidence [n], overlapping ones as well."""
        height, width = picture.shape[:2]
        padded = (-(-height // STRIDES[-1]) * STRIDES[-1], -(-width // STRIDES[-1]) * STRIDES[-1])
        blob = self._blob(padded)
        blob[0, :, :height, :width] = picture.transpose(2, 0, 1)
        blob[0, :, height:], blob[0, :, :, width:] = 0.0, 0.0
        outputs: List[np.ndarray] = self._session.run(None, {"input": blob})
        boxes, confidences = [], []
        for stride, classes, objects, offsets in zip(STRIDES, outputs[0:3], outputs[3:6], outputs[6:9]):
            confidence = np.sqrt(np.clip(classes * objects, 0.0, 1.0))[0, :, 0]
            cells = np.flatnonzero(confidence >= least)
            if len(cells):
                row, column = np.divmod(cells, padded[1] // stride)
                x, y, log_width, log_height = offsets[0, cells].T
                size = np.exp(np.stack([log_width, log_height], axis=1)) * stride
                centre = np.stack([column + x, row + y], axis=1) * stride
                boxes.append(np.concatenate([centre - size / 2, size], axis=1))
                confidences.append(confidence[cells])
        if not boxes:
            return np.empty((0, 4), np.float32), np.empty(0, np.float32)
        return np.concatenate(boxes).astype(np.float32), np.concatenate(confidences)

    def _blob(self, padded: Tuple[int, int]) -> np.ndarray:
        """float32 [1, 3, h, w], kept for the next picture of this size."""
        blob = self._blobs.get(padded)
        if blob is None:
            if len(self._blobs) > 32:
                self._blobs.clear()  # sizes of regions are few: multiples of 32
            blob = self._blobs[padded] = np.zeros((1, 3, *padded), np.float32)
        return blob


def _own_scale(frame: Frame) -> float:
    pixels = frame.width * frame.height
    return min(max(SCAN_SCALE, math.sqrt(LEAST_SCANNED / pixels)), math.sqrt(MOST_SCANNED / pixels), 1.0)


def _session(path: Path) -> Any:
    """An onnxruntime.InferenceSession on one CPU thread that takes pictures of any size."""
    content = path.read_bytes()
    what = f"detector yunet file {path}"
    if content.count(_FIXED_INPUT) != 1:
        raise ModelError(f"{what} does not have the input [1, 3, 640, 640] that was expected")
    return one_thread_session(content.replace(_FIXED_INPUT, _FREE_INPUT), what, "dlib_hog")
