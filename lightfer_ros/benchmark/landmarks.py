"""`lightfer benchmark landmarks`: how far landmarks and yaw are off as heads turn and tilt."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from lightfer_ros.benchmark.tracking_metrics import OUTER_EYE_CORNERS
from lightfer_ros.benchmark.turned_heads import SIDE_PX, Surface, portraits
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import DetectionOptions, Detector, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.landmarks import COUNT, JAW, LandmarkPredictor
from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor
from lightfer_ros.perception.pose import head_poses
from lightfer_ros.perception.predictors import AUTO, PREDICTORS, make_predictor

PHOTOS = ("photo_single_face", "photo_posed_frontal_1", "photo_posed_frontal_2", "photo_multi_face")
"""Of people who look at the camera, or nearly so."""

FAR = 4.0
"""Focal length in widths of the picture: turned heads are drawn as seen from far away."""

INNER = np.arange(JAW.stop, COUNT)
"""The landmarks that stay at one place of the skin; those of the jaw follow its outline."""


ANGLES_DEG = (*((yaw, 0) for yaw in (0, 15, 30, 45, 60, 75)), *((0, tilt) for tilt in (15, 30, 45, 60)))
"""Yaw and tilt of the views; each is made to both sides."""


class Face(NamedTuple):
    """surface: of the face of a photo. landmarks, yaw_deg: what each predictor says of the photo itself."""

    surface: Surface
    landmarks: dict[str, np.ndarray]
    yaw_deg: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark landmarks`: none."""


def run(args: argparse.Namespace) -> int:
    """Turn every face to both sides, ask every predictor, print the table."""
    detector = make_detector(DetectionOptions(AUTO))
    predictors = {name: make_predictor(name) for name in (*PREDICTORS, AUTO)}
    faces = list(_faces(detector, predictors))
    print(f"{len(faces)} faces of {SIDE_PX} px, turned to both sides; boxes by {detector.name}")
    print("error: mean distance of the 51 inner landmarks from where the predictor's own of the photo went,")
    print("in distances of the outer eye corners, median (90th percentile); yaw: by how much it changed")
    print(f"{'':>12}{'found':>9}" + "".join(f"{name + ' error':>18}{'yaw':>7}" for name in predictors))
    for yaw, tilt in ANGLES_DEG:
        asked, answers = 0, dict[str, list[tuple[float, float]]]((name, []) for name in predictors)
        for face in faces:
            for side in (1, -1) if yaw or tilt else (1,):
                asked += 1
                view = face.surface.turned(side * yaw, side * tilt)
                frame = Frame.from_array(view.picture)
                box = _box_around(view.carry(face.landmarks["mesh"]), detector.detect(frame).boxes)
                for name, predictor in predictors.items() if len(box) else ():
                    found = predictor.predict(frame.grey, box)[0]
                    error = _error(found, view.carry(face.landmarks[name]), face.landmarks[name])
                    answers[name].append((error, side * (_yaw_deg(found, frame) - face.yaw_deg[name])))
        cells = ""
        for told in answers.values():
            errors, yaws = np.array(told or [(np.nan, np.nan)]).T
            cells += f"{np.median(errors):11.3f} ({np.percentile(errors, 90):.3f}){np.nanmedian(yaws):6.0f}°"
        what = f"tilt {tilt}°" if tilt else f"yaw {yaw}°"
        print(f"{what:12}{len(told):4} of {asked:2}{cells}", flush=True)
    return 0


def _faces(detector: Detector, predictors: dict[str, LandmarkPredictor]) -> Iterator[Face]:
    """The faces of the photos, each in a picture of its own."""
    mesh = MeshLandmarkPredictor(manifest.verified("face_mesh_192"))
    for name in PHOTOS:
        for frame, box in portraits(name, detector):
            landmarks = {name: each.predict(frame.grey, box[None])[0] for name, each in predictors.items()}
            yaws = {name: _yaw_deg(points, frame) for name, points in landmarks.items()}
            yield Face(Surface(frame.bgr, mesh.mesh(frame.grey, box)), landmarks, yaws)


def _box_around(landmarks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The first of boxes, float32 [n, 4], that has the landmarks' middle in its inner half; else none."""
    middle = landmarks[INNER].mean(axis=0)
    centres, halves = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.asarray(boxes[(np.abs(middle - centres) < halves / 2).all(axis=1)][:1])


def _error(found: np.ndarray, expected: np.ndarray, on_the_photo: np.ndarray) -> float:
    """Distances are measured in those of the photo's eyes: a turned head's come together."""
    away = np.linalg.norm(found - expected, axis=1)[INNER].mean()
    return float(away / np.linalg.norm(np.subtract(*on_the_photo[list(OUTER_EYE_CORNERS)])))


def _yaw_deg(landmarks: np.ndarray, frame: Frame) -> float:
    return float(head_poses(landmarks[None], frame.width, frame.height, FAR * frame.width)[0][0, 0])
