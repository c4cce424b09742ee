"""Faces drawn on their picture: box, track, expression, the seven probabilities, the 68 points."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np

from lightfer_ros.model.labels import EMOTIONS
from lightfer_ros.perception.faces import PREDICTED, Faces
from lightfer_ros.perception.lettering import PLATE, draw_plate, draw_word, word_width
from lightfer_ros.perception.palette import COLOURS_BGR, UNSET_BGR, Colour

CONTOURS: Tuple[Tuple[int, ...], ...] = (
    tuple(range(17)),  # jaw
    tuple(range(17, 22)),
    tuple(range(22, 27)),  # brows
    tuple(range(27, 31)),  # bridge of the nose
    tuple(range(31, 36)),  # nostrils
    (*range(36, 42), 36),
    (*range(42, 48), 42),  # eyes
    (*range(48, 60), 48),  # outer lips
    (*range(60, 68), 60),  # inner lips
)
"""Which of iBUG's 68 points are joined by lines."""

WHITE: Colour = (245, 245, 245)
PALE: Colour = (190, 190, 190)
GROOVE: Colour = (74, 70, 66)
LEAST_FOR_LINES = 48
"""Pixels; on a narrower face lines would hide it, so that only the points are drawn."""

Word = Tuple[str, Colour]

_SUBPIXEL_BITS = 4
_FAR = 1 << 14  # pixels; OpenCV's fixed-point coordinates overflow far outside the picture


class _Style(NamedTuple):
    """Sizes in pixels that suit a picture's size."""

    line: int
    text: int
    row: int
    bar: int
    gap: int
    names: bool

    @classmethod
    def of(cls, width: int, height: int) -> _Style:
        """The style of a picture, pixels; made for 640x480."""
        scale = min(max(min(height, 0.75 * width) / 480, 0.5), 6.0)
        text = max(6, round(8 * scale))
        return cls(
            line=max(1, round(1.7 * scale)),
            text=text,
            row=max(4, round(11 * scale)),
            bar=max(14, round(34 * scale)),
            gap=max(2, round(4 * scale)),
            names=scale > 0.7,  # smaller letters cannot be read
        )


def draw(bgr: np.ndarray, faces: Faces, caption: str = "") -> np.ndarray:
    """A copy of the picture with everything that is known of the faces drawn into it.

    bgr: uint8 [h, w, 3]. caption: ASCII text for the lower left corner. Returns uint8 [h, w, 3]. What is
    unset is left out; an expression not yet known shows as "...". Boxes may leave the picture.
    """
    canvas = np.array(bgr, order="C")
    style = _Style.of(canvas.shape[1], canvas.shape[0])
    faces = faces[np.isfinite(faces.boxes).all(axis=1)]
    boxes = [_Box(*box) for box in np.clip(np.rint(faces.boxes), -_FAR, _FAR).astype(int).tolist()]
    labels = faces.label.tolist()
    colours = [UNSET_BGR if label < 0 else COLOURS_BGR[label] for label in labels]
    for points, colour in zip(faces.landmarks, colours):
        _draw_contours(canvas, points, colour, style)
    for box, colour, state in zip(boxes, colours, faces.state):
        _draw_box(canvas, box, colour, style, faint=bool(state == PREDICTED))
    tags = [_tag(faces, i, label, colour) for i, (label, colour) in enumerate(zip(labels, colours))]
    places = [
        _words_place(canvas, box.left, box.top - 2 * style.gap, tag, style) for box, tag in zip(boxes, tags)
    ]
    plates = list(places)
    for box, label, probabilities in zip(boxes, labels, faces.probabilities):
        if label >= 0:
            plates.append(_chart_place(canvas, box, boxes, plates, style))
            _draw_chart(canvas, plates[-1], probabilities, style)
    for place, tag in zip(places, tags):
        _draw_words(canvas, place, tag, style)
    if caption:
        words = [(caption, WHITE)]
        place = _words_place(canvas, 2 * style.gap, canvas.shape[0] - 2 * style.gap, words, style)
        _draw_words(canvas, place, words, style)
    return canvas


class _Box(NamedTuple):
    """A rectangle in whole pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @classmethod
    def within(cls, canvas: np.ndarray, left: int, top: int, width: int, height: int) -> _Box:
        """A rectangle of this size, moved to lie in the picture as far as it can."""
        left = max(0, min(left, canvas.shape[1] - width))
        top = max(0, min(top, canvas.shape[0] - height))
        return cls(left, top, left + width, top + height)


def _tag(faces: Faces, i: int, label: int, colour: Colour) -> List[Word]:
    """Track, expression and its probability in words, as far as they are known."""
    words = [(f"#{faces.track_id[i]}", PALE)] if faces.track_id[i] else []
    if label < 0:
        return [*words, ("...", WHITE)]
    percent = round(100 * float(faces.probabilities[i, label]))
    return [*words, (EMOTIONS[label], _mix(colour, WHITE, 0.25)), (f"{percent} %", WHITE)]


def _draw_contours(canvas: np.ndarray, points: np.ndarray, colour: Colour, style: _Style) -> None:
    if not np.isfinite(points).all():
        return
    colour = _mix(colour, WHITE, 0.6)
    if np.ptp(points[:, 0]) >= LEAST_FOR_LINES:
        _draw_lines(canvas, [points[list(contour)] for contour in CONTOURS], colour, max(1, style.line // 2))
        return
    x, y = np.rint(points).T
    inside = (x >= 0) & (x < canvas.shape[1]) & (y >= 0) & (y < canvas.shape[0])
    canvas[y[inside].astype(int), x[inside].astype(int)] = colour


def _draw_box(canvas: np.ndarray, box: _Box, colour: Colour, style: _Style, faint: bool) -> None:
    """Four rounded corners, with a dark edge that keeps them visible on any ground."""
    side = min(box.width, box.height)
    radius, arm = 0.12 * side, 0.24 * side
    angles = np.linspace(0, np.pi / 2, 7)
    arc = radius * (1 - np.stack([np.cos(angles), np.sin(angles)], axis=1))
    corner = np.vstack([[(0.0, arm)], arc, [(arm, 0.0)]])
    lines = [
        corner * (inward_x, inward_y) + (x, y)
        for x, inward_x in ((box.left, 1), (box.right, -1))
        for y, inward_y in ((box.top, 1), (box.bottom, -1))
    ]
    if faint:
        _draw_lines(canvas, lines, colour, 1)
        return
    _draw_lines(canvas, lines, PLATE, style.line + 2)
    _draw_lines(canvas, lines, colour, style.line)


def _draw_lines(canvas: np.ndarray, lines: Sequence[np.ndarray], colour: Colour, thickness: int) -> None:
    fixed = [np.rint(np.clip(line, -_FAR, _FAR) * (1 << _SUBPIXEL_BITS)).astype(np.int32) for line in lines]
    cv2.polylines(canvas, fixed, False, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_chart(canvas: np.ndarray, place: _Box, probabilities: np.ndarray, style: _Style) -> None:
    """Seven bars on a plate, with their names where it is wide enough."""
    draw_plate(canvas, place.left, place.top, place.width, place.height)
    best, thickness = int(np.argmax(probabilities)), max(2, round(0.6 * style.text))
    left = place.right - style.gap - style.bar
    named = left - place.left > style.gap
    for i, probability in enumerate(probabilities):
        top = place.top + style.gap + i * style.row
        if named:
            colour = WHITE if i == best else PALE
            draw_word(canvas, place.left + style.gap, top, EMOTIONS[i], style.text, colour)
        top += (style.text - thickness) // 2
        end = left + round(style.bar * min(max(float(probability), 0.0), 1.0))
        canvas[top : top + thickness, left : left + style.bar] = GROOVE
        canvas[top : top + thickness, left:end] = COLOURS_BGR[i]


def _chart_place(canvas: np.ndarray, box: _Box, faces: List[_Box], plates: List[_Box], style: _Style) -> _Box:
    """Where a chart hides least: beside the face, below or, in need, over it; without names if that helps."""
    height = (len(EMOTIONS) - 1) * style.row + style.text + 2 * style.gap
    bars = style.bar + 2 * style.gap
    widest = bars
    if style.names:
        widest += style.gap + max(word_width(name, style.text) for name in EMOTIONS)
    away = 2 * style.gap
    places = [
        _Box.within(canvas, left, top, width, height)
        for width in (widest, bars)
        for left, top in (
            (box.right + away, box.top),
            (box.left - away - width, box.top),
            (box.left, box.bottom + away),
            (box.right - width, box.bottom + away),
            (box.right + away, box.bottom - height),
            (box.left - away - width, box.bottom - height),
            (box.left, box.bottom - height),
        )
    ]
    # To hide a face is worse than to hide a plate, and either is worse than bars without names.
    nameless = [0.1 * height * (widest - place.width) for place in places]
    cost = 4 * _overlap(places, faces) + _overlap(places, plates) + nameless
    # In coarse steps: nearly equal places would take turns from frame to frame and make the chart jump.
    return places[int(np.argmin(cost // (0.5 * bars * height)))]


def _overlap(places: List[_Box], others: List[_Box]) -> np.ndarray:
    """int [n]: how many pixels of each place the others cover, counted once for each of them."""
    left, top, right, bottom = np.array(places)[:, np.newaxis].T
    other_left, other_top, other_right, other_bottom = np.array(others).T[:, :, np.newaxis]
    width = np.minimum(right, other_right) - np.maximum(left, other_left)
    height = np.minimum(bottom, other_bottom) - np.maximum(top, other_top)
    covered: np.ndarray = (np.maximum(width, 0) * np.maximum(height, 0)).sum(axis=0)
    return covered


def _words_place(canvas: np.ndarray, left: int, bottom: int, words: Sequence[Word], style: _Style) -> _Box:
    """The plate that words in a row need, moved to be within the picture."""
    width = sum(word_width(word, style.text) for word, _ in words) + style.gap * (len(words) + 1)
    height = style.text + 2 * style.gap
    return _Box.within(canvas, left, bottom - height, width, height)


def _draw_words(canvas: np.ndarray, place: _Box, words: Sequence[Word], style: _Style) -> None:
    draw_plate(canvas, place.left, place.top, place.width, place.height)
    left = place.left + style.gap
    for word, colour in words:
        draw_word(canvas, left, place.top + style.gap, word, style.text, colour)
        left += word_width(word, style.text) + style.gap


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour, the rest of the first."""
    blue, green, red = (round(a + (b - a) * share) for a, b in zip(first, second))
    return blue, green, red
