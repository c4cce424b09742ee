"""What the camera of the benchmarks sees: photos of one and of six people, moving gently, as a video."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lightfer_ros.errors import ImageError
from lightfer_ros.model import manifest

WIDTH, HEIGHT, RATE = 640, 480, 30

SECONDS = 8
"""The motion repeats after so long, so that the video can be played in a loop without a jump."""

SWAY_PX, BREATH = 14.0, 0.04
"""How far the picture moves to each side, and how much it grows and shrinks: people who stand and talk."""

MARGIN_PX = 40
"""Picture beyond the frame's edges, for the camera's motion to show."""


@dataclass(frozen=True)
class Scene:
    """A picture made of photos, and how many people are in it."""

    name: str
    people: int
    photos: tuple[tuple[str, float, int, int], ...]
    """Each photo by its name in the manifest, its scale, and where its left upper corner lies, pixels."""


SCENES = (
    Scene("one face", 1, (("photo_single_face", 1.26, -40, -80),)),
    # HOG finds four of the five people in the group photo (sunglasses hide the eyes of the fifth): they are
    # shown larger than the photo is, and the man of the other photo and his twin join them.
    Scene(
        "six faces",
        6,
        (
            ("photo_multi_face", 1.2, -330, -250),
            ("photo_single_face", 0.5, 0, 240),
            ("photo_single_face", 0.5, 400, 262),
        ),
    ),
)
"""HOG finds all of these people, all the time: their faces are at least 85 px wide."""


def frames(scene: Scene, width: int = WIDTH, height: int = HEIGHT) -> Iterator[np.ndarray]:
    """One turn of the scene's motion: uint8 [height, width, 3] BGR at 30 a second.

    The scene fills the picture's height; what a wider picture shows beside it is its edge, repeated.
    Raises ModelError where a photo is missing, ImageError where it cannot be read.
    """
    still = _compose(scene)
    centre = np.array([still.shape[1], still.shape[0]]) / 2
    for frame in range(SECONDS * RATE):
        phase = 2 * math.pi * frame / (SECONDS * RATE)
        scale = height / HEIGHT * (1.0 + BREATH * math.sin(phase))
        # Across and down at different speeds: a figure of Lissajous, without a place where it stands still.
        shift = height / HEIGHT * SWAY_PX * np.array([math.sin(2 * phase), math.sin(3 * phase)])
        offset = np.array([width, height]) / 2 + shift - scale * centre
        transform = np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]])
        yield cv2.warpAffine(still, transform, (width, height), borderMode=cv2.BORDER_REPLICATE)


def write_video(scene: Scene, path: Path, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Write one turn of the scene's motion. Raises ImageError where OpenCV cannot, else as `frames`."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (width, height))
    if not writer.isOpened():
        raise ImageError(f"{path}: OpenCV cannot write this video")
    for frame in frames(scene, width, height):
        writer.write(frame)
    writer.release()


def _compose(scene: Scene) -> np.ndarray:
    """The scene without motion, larger than the frame by MARGIN_PX at every edge."""
    canvas = np.full((HEIGHT + 2 * MARGIN_PX, WIDTH + 2 * MARGIN_PX, 3), 128, np.uint8)
    for name, scale, left, top in scene.photos:
        path = manifest.find(name)
        photo = cv2.imread(str(path))
        if photo is None:
            raise ImageError(f"{path}: OpenCV cannot read this picture")
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=how)
        x, y = left + MARGIN_PX, top + MARGIN_PX
        part = photo[max(0, -y) : canvas.shape[0] - y, max(0, -x) : canvas.shape[1] - x]
        x, y = max(0, x), max(0, y)
        canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return canvas
