"""Videos with truth: real faces moved along known ways before real backgrounds."""

from __future__ import annotations

import argparse
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from lightfer_ros.benchmark.backgrounds import background
from lightfer_ros.benchmark.cutout import Cutout, Person, Scissors
from lightfer_ros.benchmark.track_scenarios import HEIGHT, RATE, SCENARIOS, WIDTH, Pillar, Shot, Walk
from lightfer_ros.benchmark.truth import TrackedBoxes, Truth, write_truth
from lightfer_ros.benchmark.turning_people import TurningPerson
from lightfer_ros.benchmark.walkers import Walker
from lightfer_ros.errors import ConfigurationError, ImageError
from lightfer_ros.model import manifest
from lightfer_ros.perception.mesh_landmarks import MeshLandmarkPredictor

LEAST_VISIBLE = 0.1
"""A face of which less is to be seen is hidden, and stands in no truth: masks have soft edges, none at all is
never reached."""

SAME_ID_S = 1.0
"""Who comes back later than this is somebody new, as in MOTChallenge: to know better would take recognising
people, which we never do."""

NOISE = 2.5
"""Standard deviation of the camera's noise, in grey levels."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lightfer benchmark track_video`."""
    parser.add_argument(
        "scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)}; default: all"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("."), help="folder of NAME.mp4 and NAME.json (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="other unrest, other noise (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Make the videos that are named, with their truth."""
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.scenarios or SCENARIOS:
        video = args.out / f"{name}.mp4"
        make_video(name, video, video.with_suffix(".json"), args.seed)
        print(video, flush=True)
    return 0


def make_video(scenario: str, video: Path, truth: Path, seed: int = 0) -> None:
    """Write a scenario's video (MPEG-4, 640×480, 30 frames a second) and its truth; each whole or not.

    The same seed gives the same frames. Raises ConfigurationError for an unknown scenario, ModelError where a
    photo is missing, DataError where scikit-image, which brings the backgrounds, is.
    """
    partial = video.with_name(f"partial-{os.getpid()}-{video.name}")
    writer = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise ImageError(f"{video} cannot be written: this OpenCV has no MPEG-4 encoder, or no such folder")
    seen = []
    try:
        for picture, faces in frames(scenario, seed):
            writer.write(picture)
            seen.append(faces)
    except BaseException:
        writer.release()
        partial.unlink(missing_ok=True)
        raise
    writer.release()
    write_truth(Truth(RATE, tuple(seen)), truth)
    os.replace(partial, video)


def frames(scenario: str, seed: int = 0, rate: float = RATE) -> Iterator[tuple[np.ndarray, TrackedBoxes]]:
    """The scenario's frames, uint8 [480, 640, 3] BGR, and the faces seen in each.

    `rate` is in frames per second. Raises as `make_video`.
    """
    if scenario not in SCENARIOS:
        raise ConfigurationError(f"scenario is {scenario!r}, expected one of {', '.join(SCENARIOS)}")
    random = np.random.default_rng([seed, zlib.crc32(scenario.encode())])
    scissors = Scissors()
    cutouts: dict[Person, Cutout] = {}
    next_id = 1
    for shot in SCENARIOS[scenario]:
        for layer in shot.layers:
            if isinstance(layer, Walk) and layer.person not in cutouts:
                cutouts[layer.person] = scissors.cut(layer.person)
        scene = _Scene(shot, cutouts, random, next_id)
        for index in range(round(shot.seconds * rate)):
            yield scene.frame(index / rate)
        next_id = scene.next_id


class _Scene:
    """One shot as it is filmed: the layers, and who has been in view since when under which id."""

    def __init__(
        self, shot: Shot, cutouts: dict[Person, Cutout], random: np.random.Generator, next_id: int
    ) -> None:
        self.next_id = next_id
        self._random = random
        self._background = background(shot.background).astype(np.float32)
        self._layers: list[Walker | _Pillar] = [
            _Pillar(layer) if isinstance(layer, Pillar) else _walker(layer, cutouts[layer.person], random)
            for layer in shot.layers
        ]
        self._last_seen: dict[int, tuple[int, float]] = {}  # layer → id, seconds

    def frame(self, seconds: float) -> tuple[np.ndarray, TrackedBoxes]:
        picture = self._background.copy()
        # layer → its face's box, what of the face there would be to see, what there is (alpha of each pixel)
        walkers: dict[int, tuple[np.ndarray, float, np.ndarray]] = {}
        for index, layer in enumerate(self._layers):
            if not layer.is_there(seconds):
                continue
            image = layer.image(seconds)
            alpha = image[:, :, 3] * np.float32(1 / 255)
            through = 1.0 - alpha
            picture *= through[:, :, None]
            picture += image[:, :, :3]
            for _, _, left in walkers.values():
                left *= through
            if isinstance(layer, Walker) and layer.shows_face(seconds):
                box = layer.box(seconds)
                inside = np.zeros_like(alpha)
                x1, y1, x2, y2 = np.clip(np.rint(box), 0, [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype(int)
                inside[y1:y2, x1:x2] = alpha[y1:y2, x1:x2]
                walkers[index] = box, layer.face_area(seconds), inside
        faces = [
            (self._id(index, seconds), box)
            for index, (box, whole, left) in walkers.items()
            if left.sum() >= LEAST_VISIBLE * whole
        ]
        ids, boxes = [face for face, _ in faces], [box for _, box in faces]
        return self._filmed(picture), TrackedBoxes(np.array(ids, int), np.array(boxes).reshape(-1, 4))

    def _id(self, layer: int, seconds: float) -> int:
        identity, last = self._last_seen.get(layer, (0, -np.inf))
        if seconds - last > SAME_ID_S:
            identity, self.next_id = self.next_id, self.next_id + 1
        self._last_seen[layer] = identity, seconds
        return identity

    def _filmed(self, picture: np.ndarray) -> np.ndarray:
        """One lens and one sensor for everything: people and background get the same softness and noise."""
        noise = self._random.normal(0.0, NOISE, picture.shape).astype(np.float32)
        filmed = cv2.GaussianBlur(picture, (0, 0), 0.6) + noise
        return np.asarray(np.clip(np.rint(filmed), 0, 255), np.uint8)


def _walker(walk: Walk, cutout: Cutout, random: np.random.Generator) -> Walker:
    if not walk.turns:
        return Walker(walk, cutout, random)
    mesh = MeshLandmarkPredictor(manifest.verified("face_mesh_192"))
    return Walker(walk, TurningPerson(cutout, mesh), random)


class _Pillar:
    """A square column of plaster, lit from the left."""

    def __init__(self, pillar: Pillar) -> None:
        columns = np.arange(WIDTH) + 0.5
        inside = np.clip(np.minimum(columns - pillar.left, pillar.right - columns) + 0.5, 0, 1)
        light = 172 - 42 * (columns > pillar.left + 0.72 * (pillar.right - pillar.left))
        grains = np.random.default_rng(0).normal(0, 24, (HEIGHT, WIDTH))
        rough = np.asarray(cv2.GaussianBlur(grains, (0, 0), 2.2))
        grey = (light - 25 * np.linspace(0, 1, HEIGHT)[:, None] + rough) * inside
        tinted = grey[:, :, None] * [0.90, 0.97, 1.0]
        self._image = np.dstack([tinted, np.tile(inside * 255.0, (HEIGHT, 1))]).astype(np.float32)

    def is_there(self, seconds: float) -> bool:
        return True

    def image(self, seconds: float) -> np.ndarray:
        return self._image
