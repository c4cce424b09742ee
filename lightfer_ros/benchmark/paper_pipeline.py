"""The Light-FER paper's own way, the baseline: HOG on every frame, 68 landmarks, the unpruned Xception.

Only its speed and its boxes are asked for: the network has random weights.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lightfer_ros.benchmark.architectures import NORMALIZATION, XCEPTION_SIDE, model_file
from lightfer_ros.benchmark.random_network import INPUT
from lightfer_ros.model import CropGeometry, manifest
from lightfer_ros.perception.alignment import to_crops
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.frame import Frame


class PaperPipeline:
    """dlib HOG on grey without upsampling, 68 landmarks, crops of 71×71, Xception FP32; one thread."""

    def __init__(self, xception: Path | None = None) -> None:
        """xception: the network's file, by default one that is made on first use, 83 MB.

        Raises ModelError without the landmark file, RuntimeUnavailableError where the network cannot be made.
        """
        import onnxruntime

        path = xception or model_file("Xception")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._detector = make_detector(DetectionOptions("dlib_hog"))
        self._predictor = DlibLandmarkPredictor(manifest.find("shape_predictor_68"))
        cv2.setNumThreads(1)

    def process(self, bgr: np.ndarray) -> Faces:
        """All faces of one frame, uint8 [h, w, 3] BGR, with landmarks and (meaningless) probabilities."""
        frame = Frame.from_array(bgr)
        faces = self._detector.detect(frame)
        if not len(faces):
            return faces
        landmarks = self._predictor.predict(frame.grey, faces.boxes)
        # Channels are swapped in the small crops: cheaper than in the whole frame, to the paper's favour.
        crops = to_crops(bgr, landmarks, CropGeometry(), XCEPTION_SIDE, NORMALIZATION)[:, :, :, ::-1]
        batch = np.ascontiguousarray(crops.transpose(0, 3, 1, 2))
        (probabilities,) = self._session.run(None, {INPUT: batch})
        return faces.replace(landmarks=landmarks, probabilities=probabilities)
