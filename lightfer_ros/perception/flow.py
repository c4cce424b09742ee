"""Moving landmarks along with the pixels under them, at a fraction of what a new fit costs."""

from __future__ import annotations

from typing import NamedTuple, Optional

import cv2
import numpy as np

from lightfer_ros.perception.medians import median

SIDE = 64
"""Pixels of a chip's side; the face fills two thirds of it, which shows motion to a tenth of a pixel."""

REACH = 1.4
"""A chip's side in sides of the face's box: chin and jaw lie a little outside the box."""

WINDOW, LEVELS, ITERATIONS = 9, 2, 8
"""Of the pyramidal method of Lucas and Kanade (Bouguet 2000): motion of up to 16 pixels of the chip."""

MOST_APART = 3.0
"""A point that moved otherwise than the others by more, in pixels of the chip, was carried away by what lies
behind the face or before it: it goes with the others."""

MOST_ERROR = 15.0
"""Mean difference of grey levels around a point, the median of the points; living faces stay below 9."""


class Chip(NamedTuple):
    """What lies around a face, uint8 [SIDE, SIDE]; x in the chip is scale · x + offset[0] of the picture."""

    picture: np.ndarray
    scale: float
    offset: np.ndarray

    def to_chip(self, points: np.ndarray) -> np.ndarray:
        """Points of the picture, [n, 2] pixels, in the chip."""
        return np.asarray(points * self.scale + self.offset)

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Points of the chip, [n, 2] pixels, in the picture."""
        return np.asarray((points - self.offset) / self.scale)


def cut_chip(grey: np.ndarray, box: np.ndarray) -> Chip:
    """The surroundings of a face. grey: uint8 [h, w]. box: float [4], x1, y1, x2, y2, in or out of it."""
    side = max(float(box[2] - box[0]) * REACH, 1.0)
    scale = SIDE / side
    offset = SIDE / 2 - 0.5 - scale * (box[:2] + box[2:]) / 2.0
    factor = min(max(int(side / SIDE), 1), 8)  # warping reads four pixels only: a large face is averaged down
    transform = np.array([[scale, 0.0, offset[0]], [0.0, scale, offset[1]]]) * factor
    transform[:, 2] += (factor - 1) / 2
    picture = cv2.warpAffine(
        grey, transform, (SIDE * factor,) * 2, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if factor > 1:
        picture = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return Chip(picture, scale, offset)


def moved_landmarks(before: Chip, now: Chip, landmarks: np.ndarray) -> Optional[np.ndarray]:
    """The landmarks of the earlier frame where they are now, float32 [n, 2], or None where the flow is lost.

    before, now: chips of one face in both frames. landmarks: float32 [n, 2], pixels of the earlier picture.
    """
    points = before.to_chip(landmarks).astype(np.float32)
    # It begins at the same place of the chip: that was cut where the face is expected, motion and all.
    arrived, status, error = cv2.calcOpticalFlowPyrLK(
        before.picture,
        now.picture,
        points[:, None],
        points[:, None].copy(),
        winSize=(WINDOW, WINDOW),
        maxLevel=LEVELS,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ITERATIONS, 0.03),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    followed = status[:, 0] == 1
    if 2 * np.count_nonzero(followed) < len(followed) or median(error[followed, 0]) > MOST_ERROR:
        return None
    shift = arrived[:, 0] - points
    common = median(shift[followed])
    astray = ~followed | (np.hypot(*(shift - common).T) > MOST_APART)
    shift[astray] = common
    return np.asarray(now.to_picture(points + shift), np.float32)
