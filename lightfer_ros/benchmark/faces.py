"""The faces that classifiers are timed and compared on: everybody in the sample video, second by second."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import numpy as np

from lightfer_ros.errors import LightferError
from lightfer_ros.model import ModelMetadata, manifest
from lightfer_ros.runtimes.agreement import fixed_input

EVERY = 30
"""Frames of the sample from one look to the next: a second."""
MADE = 64


def faces_for(metadata: ModelMetadata) -> tuple[np.ndarray, str]:
    """Crops as a model wants them, and in words what they are.

    Returns float32 [n, h, w, c] in the range of the metadata's normalization: the sample video's faces and
    their mirror images, or made pictures where that, a detector or the landmark file is not here.
    """
    try:
        found = _of_the_sample(metadata)
    except (LightferError, ImportError) as error:
        return fixed_input(metadata, MADE), f"{MADE} made pictures, since there is no sample: {error}"
    if not len(found):
        return fixed_input(metadata, MADE), f"{MADE} made pictures, since no face was found in the sample"
    both = np.concatenate([found, found[:, :, ::-1]])
    return np.ascontiguousarray(both), f"{len(found)} faces of the sample video and their mirror images"


def _of_the_sample(metadata: ModelMetadata) -> np.ndarray:
    import cv2

    from lightfer_ros.perception.alignment import to_crops
    from lightfer_ros.perception.detection import DetectionOptions, make_detector
    from lightfer_ros.perception.dlib_landmarks import DlibLandmarkPredictor
    from lightfer_ros.perception.frame import Frame

    video = cv2.VideoCapture(str(manifest.find("sample")))
    predictor = DlibLandmarkPredictor(manifest.find("shape_predictor_68"))
    detector = make_detector(DetectionOptions("dlib_hog"))
    side = metadata.input_size
    crops = [np.empty((0, side, side, metadata.channels), np.float32)]
    index = 0
    while video.grab():
        if index % EVERY == 0:
            frame = Frame.from_array(video.retrieve()[1])
            landmarks = predictor.predict(frame.grey, detector.detect(frame).boxes)
            image = frame.grey if metadata.channels == 1 else cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB)
            crops.append(to_crops(image, landmarks, metadata.crop_geometry, side, metadata.normalization))
        index += 1
    video.release()
    return np.concatenate(crops)
