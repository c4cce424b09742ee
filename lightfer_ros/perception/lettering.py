"""Smooth words and plates on a picture, the same with every version of OpenCV."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Sequence

import cv2
import numpy as np

from lightfer_ros.perception.palette import Colour

PLATE: Colour = (24, 20, 18)
PLATE_DENSITY = 168
"""Out of 255: the picture shimmers through."""

_FINER = 4  # all is drawn so much larger and shrunk: small letters of OpenCV 4 are ragged


def draw_word(canvas: np.ndarray, left: int, top: int, word: str, size: int, colour: Colour) -> None:
    """Write ASCII into uint8 [h, w, 3] with capitals from `top` on, `size` pixels high."""
    for part in _parts(word):
        letters = _word(part, size, colour)
        _paint(canvas, left, top - size // 4, letters)
        left += letters.colour.shape[1]


def word_width(word: str, size: int) -> int:
    """Pixels that a word with capitals `size` high takes."""
    return sum(int(_word(part, size, (255, 255, 255)).colour.shape[1]) for part in _parts(word))


def draw_plate(canvas: np.ndarray, left: int, top: int, width: int, height: int) -> None:
    """Lay a dark rounded plate, through which the picture shimmers, into uint8 [h, w, 3]."""
    _paint(canvas, left, top, _plate(width, height))


def _parts(word: str) -> Sequence[str]:
    """A name stays whole, numbers fall into characters: what is drawn is kept, and must come to an end.

    Something new to keep for every new track would settle between the detector's large short-lived arrays
    and so scatter the heap: with an overlay, the node grew by 25 MB in 2,000 images.
    """
    return (word,) if word.isalpha() else word


class _Paint(NamedTuple):
    """What to do to a part of a picture: keep so much of it, of 255, and add colour; uint8 [h, w, 3]."""

    keep: np.ndarray
    colour: np.ndarray

    @classmethod
    def through(cls, mask: np.ndarray, colour: Colour) -> _Paint:
        """`colour` as dense as `mask`, uint8 [h, w], which is drawn `_FINER` times as large."""
        mask = cv2.resize(mask, None, fx=1 / _FINER, fy=1 / _FINER, interpolation=cv2.INTER_AREA)
        dense = np.repeat(mask[:, :, np.newaxis], 3, axis=2)
        return cls(255 - dense, np.rint(dense / 255.0 * colour).astype(np.uint8))


@lru_cache(maxsize=256)
def _word(word: str, size: int, colour: Colour) -> _Paint:
    font, large = cv2.FONT_HERSHEY_SIMPLEX, size * _FINER
    scale, thickness = large / 21, max(1, size // 2)  # Hershey's capitals are 21 units high
    (width, _), _ = cv2.getTextSize(word, font, scale, thickness)
    mask = np.zeros((_FINER * (size + 2 * (size // 4) + 1), -(-width // _FINER) * _FINER), np.uint8)
    cv2.putText(mask, word, (0, large + _FINER * (size // 4)), font, scale, 255, thickness, cv2.LINE_AA)
    return _Paint.through(mask, colour)


@lru_cache(maxsize=256)
def _plate(width: int, height: int) -> _Paint:
    radius = _FINER * max(2, min(width, height) // 12)
    right, bottom = _FINER * width - 1, _FINER * height - 1
    mask = np.zeros((_FINER * height, _FINER * width), np.uint8)
    cv2.rectangle(mask, (radius, 0), (right - radius, bottom), PLATE_DENSITY, -1)
    cv2.rectangle(mask, (0, radius), (right, bottom - radius), PLATE_DENSITY, -1)
    for x in (radius, right - radius):
        for y in (radius, bottom - radius):
            cv2.circle(mask, (x, y), radius, PLATE_DENSITY, -1)
    return _Paint.through(mask, PLATE)


def _paint(canvas: np.ndarray, left: int, top: int, paint: _Paint) -> None:
    """Paint with the upper left corner at (left, top); what leaves the picture is cut."""
    height, width = paint.colour.shape[:2]
    region = canvas[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    if region.size:
        rows = slice(max(0, -top), max(0, -top) + region.shape[0])
        columns = slice(max(0, -left), max(0, -left) + region.shape[1])
        kept = cv2.multiply(region, paint.keep[rows, columns], scale=1 / 255)
        region[:] = cv2.add(kept, paint.colour[rows, columns])
