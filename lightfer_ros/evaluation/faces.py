"""FaceSet: labelled grey faces of one size, the currency between data sets, training and scoring."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Callable, Iterable, List, Optional, Tuple

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.model import EMOTIONS


@dataclass(frozen=True)
class FaceSet:
    """n labelled faces.

    images: uint8 [n, size, size], grey. labels: int64 [n], index into EMOTIONS. names: n texts that lead
    a reader back to the source ("fer2013.csv:17", "happy/a.png"). rows: int64 [n], 0-based position in
    the source, all splits counted. hashes: `pixel_hash` of each picture as the source has it, before
    anything was cut or resized; empty where nobody asked.
    """

    images: np.ndarray
    labels: np.ndarray
    names: Tuple[str, ...]
    rows: np.ndarray
    hashes: Tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.images)
        if (
            self.images.dtype != np.uint8
            or self.images.ndim != 3
            or self.images.shape[1] != self.images.shape[2]
        ):
            raise DataError(
                f"faces: images are {self.images.dtype} {self.images.shape}, expected uint8 [n, size, size]"
            )
        if self.labels.shape != (n,) or self.rows.shape != (n,) or len(self.names) != n:
            raise DataError(
                f"faces: {n} images, labels {self.labels.shape}, rows {self.rows.shape}, "
                f"{len(self.names)} names: expected one of each per image"
            )
        if len(self.hashes) not in (0, n):
            raise DataError(f"faces: {len(self.hashes)} hashes for {n} images, expected one each or none")
        if n and not (self.labels.min() >= 0 and self.labels.max() < len(EMOTIONS)):
            raise DataError(f"faces: labels reach {self.labels.max()}, expected 0 to {len(EMOTIONS) - 1}")

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: np.ndarray) -> FaceSet:
        """The faces that a boolean mask [n] or an integer array picks, in that order."""
        chosen = np.arange(len(self))[index]
        names = tuple(self.names[i] for i in chosen)
        hashes = tuple(self.hashes[i] for i in chosen) if self.hashes else ()
        return FaceSet(self.images[chosen], self.labels[chosen], names, self.rows[chosen], hashes)


@dataclass(frozen=True)
class LabelledPicture:
    """One picture at its own size. picture: uint8 [h, w], grey. label: index into EMOTIONS."""

    name: str
    label: int
    picture: np.ndarray


Cut = Callable[[np.ndarray, int], np.ndarray]
"""A picture, grey uint8 [h, w], and a size in pixels → the face in it, uint8 [size, size]."""


def gather(pictures: Iterable[LabelledPicture], size: int, cut: Optional[Cut] = None) -> FaceSet:
    """All pictures as faces of `size` x `size` pixels; their middle squares where no `cut` is given."""
    cut = cut or to_grey_square
    images: List[np.ndarray] = []
    hashes: List[str] = []
    labels: List[int] = []
    names: List[str] = []
    for one in pictures:
        images.append(cut(one.picture, size))
        hashes.append(pixel_hash(one.picture))
        labels.append(one.label)
        names.append(one.name)
    stacked = np.stack(images) if images else np.empty((0, size, size), np.uint8)
    rows = np.arange(len(names))
    return FaceSet(stacked, np.array(labels, np.int64), tuple(names), rows, tuple(hashes))


def pixel_hash(picture: np.ndarray) -> str:
    """The first 16 hexadecimal digits of a picture's SHA-256; equal pixels give equal texts."""
    return hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest()[:16]


def pixel_hashes(images: np.ndarray) -> List[str]:
    """`pixel_hash` of every picture of uint8 [n, h, w]."""
    return [pixel_hash(image) for image in images]


def copies_among(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """bool [n]: which of the images, uint8 [n, s, s], are, pixel for pixel, among others, uint8 [m, s, s]."""
    known = set(pixel_hashes(others))
    return np.array([each in known for each in pixel_hashes(images)], bool)


def to_grey_square(picture: np.ndarray, size: int) -> np.ndarray:
    """The middle square of a grey picture uint8 [h, w] as uint8 [size, size].

    A squeezed face is recognised worse than one that lost a margin: docs/evaluation.md has the figures.
    Shrinking averages the pixels that fall together, so that nothing aliases.
    """
    if picture.shape == (size, size):
        return picture
    import cv2

    height, width = picture.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=how))
