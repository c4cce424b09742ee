"""Videos whose expression is known: parts of fetched clips in turns, and faces between two expressions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np

from lightfer_ros.benchmark.clips import CLIPS
from lightfer_ros.benchmark.race import pictures
from lightfer_ros.benchmark.scenes import RATE
from lightfer_ros.model import manifest

Frames = Iterable[tuple[float, np.ndarray, str]]
"""Stamp in seconds, picture uint8 [h, w, 3] BGR, and what is to be read in it, "" where nothing is known."""

BETWEEN = ("clip_expression", (141, 153, 217, 219))
"""A clip's frames that are between two expressions: held still, their label changes with the noise."""

NOISE, SWAY_PX = 4.0, 0.3
"""Standard deviations: of a camera's noise in an evening's room, grey levels; of a held face's every step."""

FAR_PX = 40
"""Side of a face some two metres away."""


@dataclass(frozen=True)
class Part:
    """Frames of a clip in which one expression is to be seen, judged by eye."""

    label: str
    first: int
    last: int


SPLICES: Mapping[str, tuple[Part, ...]] = MappingProxyType(
    {
        "clip_smile": (Part("neutral", 0, 16), Part("happy", 24, 67)),
        "clip_expression": (Part("sad", 0, 130), Part("happy", 240, 470)),
    }
)


def held(
    clip: str, frames: Sequence[int], seed: int, hold_s: float = 4.0
) -> Iterator[tuple[float, np.ndarray, str]]:
    """Frames of a clip, each held for so long while the face sways, noisy.

    Their stamps lie so far apart that nobody is known from one to the next.
    """
    shown, random = list(pictures(manifest.verified(clip))), np.random.default_rng(seed)
    for turn, frame in enumerate(frames):
        sway = random.normal(0.0, SWAY_PX, (round(hold_s * RATE), 2)).cumsum(axis=0)
        for index, (x, y) in enumerate(sway):
            moved = np.array([[1.0, 0.0, x], [0.0, 1.0, y]])
            size = shown[frame].shape[1::-1]
            picture = cv2.warpAffine(shown[frame], moved, size, borderMode=cv2.BORDER_REFLECT)
            yield 10.0 * hold_s * turn + index / RATE, _noisy(picture, random), ""


def spliced(
    clip: str, part_s: float, seed: int, side: int | None = None, times: int = 3
) -> Iterator[tuple[float, np.ndarray, str]]:
    """The parts of a clip in turns, each so many times and played to and fro for `part_s` seconds, noisy.

    side: of the face's box in the clip's first frame, pixels; unless given, as it is.
    """
    fps, random = CLIPS[clip].fps, np.random.default_rng(seed)
    shown = [_reduced(picture, clip, side) for picture in pictures(manifest.verified(clip))]
    index = 0
    for part in SPLICES[clip] * times:
        forth = list(range(part.first, part.last + 1))
        loop = forth + forth[-2:0:-1]
        for step in range(round(part_s * fps)):
            yield index / fps, _noisy(shown[loop[step % len(loop)]], random), part.label
            index += 1


def _reduced(picture: np.ndarray, clip: str, side: int | None) -> np.ndarray:
    """The picture with a face of that size, amid grey: the frame stays as large as it was."""
    if side is None:
        return picture
    left, _, right, _ = CLIPS[clip].keyframes[0]
    scale = side / (right - left)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    below, beside = picture.shape[0] - small.shape[0], picture.shape[1] - small.shape[1]
    return cv2.copyMakeBorder(
        small,
        below // 2,
        below - below // 2,
        beside // 2,
        beside - beside // 2,
        cv2.BORDER_CONSTANT,
        value=(90, 90, 90),
    )


def _noisy(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    noise = random.normal(0.0, NOISE, picture.shape).astype(np.float32)
    return cv2.add(picture, noise, dtype=cv2.CV_8U)
