"""Pictures of one head whose size, yaw and tilt are known: photos, drawn turned, before backgrounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from lightfer_ros.benchmark.cutout import face_box
from lightfer_ros.benchmark.landmarks import PHOTOS
from lightfer_ros.benchmark.track_scenarios import GARAGE, LAUNCH_PAD, TABLE
from lightfer_ros.benchmark.turned_heads import Surface, portraits
from lightfer_ros.model import manifest
from lightfer_ros.perception.detection import AUTO, DetectionOptions, make_detector
from lightfer_ros.perception.mesh_landmarks import IBUG, MeshLandmarkPredictor

REALLY_TURNED = {"photo of 15°": "photo_posed_15_degrees", "photo of 45°": "photo_posed_45_degrees"}
"""Photos of people who do not look at the camera: shown as they are and mirrored."""

PLACES = ((GARAGE, 320, 240), (LAUNCH_PAD, 247, 225), (TABLE, 393, 255))
"""Each background, and where before it the middle of the face's box is, pixels."""

FADE = 0.1
"""A photo fades into the background over that much of the face's side."""


@dataclass(frozen=True, eq=False)
class View:
    """picture: uint8 [h, w, 3] BGR. box: float64 [4], the face in it by dlib's convention, pixels."""

    picture: np.ndarray
    box: np.ndarray

    def before(self, background: np.ndarray, x: int, y: int, side_px: float) -> View:
        """The same with a face of `side_px`, its middle at x, y before a background, uint8 [h, w, 3]."""
        scale = side_px / (self.box[2] - self.box[0])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        patch = cv2.resize(self.picture, None, fx=scale, fy=scale, interpolation=how)
        middle = scale * (self.box[:2] + self.box[2:]) / 2
        left, top = np.round((x, y) - middle).astype(int).tolist()
        fade = max(1, round(FADE * side_px))
        inner = np.zeros(patch.shape, np.float32)
        inner[fade:-fade, fade:-fade] = 1.0
        opaque = cv2.blur(inner, (2 * fade - 1, 2 * fade - 1))
        picture = background.copy()
        height, width = picture.shape[:2]
        x1, y1, x2, y2 = max(left, 0), max(top, 0), left + patch.shape[1], top + patch.shape[0]
        there, here = np.s_[y1:y2, x1:x2], np.s_[y1 - top : height - top, x1 - left : width - left]
        picture[there] = np.round(opaque[here] * patch[here] + (1 - opaque[here]) * picture[there])
        return View(picture, scale * self.box + [left, top, left, top])


class Head:
    """A face of a photo that can be turned."""

    def __init__(self, photo: np.ndarray, mesh: np.ndarray) -> None:
        """photo: uint8 [h, w, 3] BGR. mesh: float64 [468, 3], as MeshLandmarkPredictor.mesh has it."""
        self._surface = Surface(photo, mesh)
        self._landmarks = mesh[IBUG, :2]
        self.photo = View(photo, face_box(self._landmarks))

    def turned(self, yaw_deg: float, tilt_deg: float) -> View:
        """See Surface.turned. The box goes where the face goes, and stays as large as it was."""
        drawn = self._surface.turned(yaw_deg, tilt_deg)
        moved, box = face_box(drawn.carry(self._landmarks)), self.photo.box
        shift = (moved[:2] + moved[2:] - box[:2] - box[2:]) / 2
        return View(drawn.picture, box + np.tile(shift, 2))


def heads(photo: str) -> Iterator[Head]:
    """The faces of a fetched photo, about SIDE_PX large. Raises ModelError where a file is missing."""
    detector = make_detector(DetectionOptions(AUTO))
    mesh = MeshLandmarkPredictor(manifest.verified("face_mesh_192"))
    for frame, box in portraits(photo, detector):
        yield Head(frame.bgr, mesh.mesh(frame.grey, box))


def poses(yaws_deg: tuple[int, ...], tilts_deg: tuple[int, ...]) -> Iterator[tuple[str, list[View]]]:
    """Each pose in words, and the views of it: upright, turned and tilted to both sides, turned photos."""
    faces = [head for photo in PHOTOS for head in heads(photo)]
    yield "upright", [head.photo for head in faces]
    for name, axis in (("yaw", yaws_deg), ("tilt", tilts_deg)):
        for degrees in axis:
            sides = [(side * degrees, 0) if name == "yaw" else (0, side * degrees) for side in (1, -1)]
            yield f"{name} {degrees}°", [head.turned(*turn) for head in faces for turn in sides]
    for name, photo in REALLY_TURNED.items():
        yield name, [view for head in heads(photo) for view in (head.photo, _mirrored(head.photo))]


def _mirrored(view: View) -> View:
    width = view.picture.shape[1]
    x1, y1, x2, y2 = view.box
    return View(np.ascontiguousarray(view.picture[:, ::-1]), np.array([width - x2, y1, width - x1, y2]))
