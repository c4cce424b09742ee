"""Moving landmarks along with the pixels under them, at a fraction of what a new fit costs."""

from __future__ import annotations

from typing import NamedTuple, Optional

import cv2
import numpy as np

from lightfer_ros.perception.alignment import LARGEST_REDUCTION, warped
from lightfer_ros.perception.few import median

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

COARSE, SHIFTED, LEAST_CORRELATION = 32, 5, 0.63
"""What lies around a face is compared reduced to so many pixels a side, moved by up to SHIFTED of them. From
one frame to the next, faces that turn round or walk past each other correlate by 0.68 and more, one and
another before another background by 0.58 and less (docs/realtime.md)."""


class Chip(NamedTuple):
    """What lies around a face, uint8 [SIDE, SIDE]: each x and y is scale times the picture's, plus offset,
    float32 [2]."""

    picture: np.ndarray
    scale: float
    offset: np.ndarray


def cut_chip(grey: np.ndarray, box: np.ndarray) -> Chip:
    """The surroundings of a face. grey: uint8 [h, w]. box: float [4], x1, y1, x2, y2, in or out of it."""
    x1, y1, x2, y2 = box.tolist()
    side = max((x2 - x1) * REACH, 1.0)
    scale = SIDE / side
    offset_x, offset_y = (SIDE / 2 - 0.5 - scale * (low + high) / 2.0 for low, high in ((x1, x2), (y1, y2)))
    factor = min(max(int(side / SIDE), 1), LARGEST_REDUCTION)
    transform = np.array([[scale, 0.0, offset_x], [0.0, scale, offset_y]])
    return Chip(warped(grey, transform, SIDE, factor), scale, transform[:, 2].astype(np.float32))


def is_cut(before: Chip, after: Chip) -> bool:
    """Whether what lies around a face has become something else from one frame to the next, whatever the
    light: as where a screen shows a film that cuts."""
    earlier, later = (
        cv2.resize(chip.picture, (COARSE, COARSE), interpolation=cv2.INTER_AREA) for chip in (before, after)
    )
    middle = earlier[SHIFTED:-SHIFTED, SHIFTED:-SHIFTED]
    return float(cv2.matchTemplate(later, middle, cv2.TM_CCOEFF_NORMED).max()) < LEAST_CORRELATION


def is_inside(chip: Chip, grey: np.ndarray) -> bool:
    """Whether the chip shows nothing beyond the picture, uint8 [h, w], that it was cut from."""
    low, high = ([(edge - offset) / chip.scale for offset in chip.offset] for edge in (0.0, SIDE - 1.0))
    return bool(min(low) >= 0.0 and high[0] <= grey.shape[1] - 1 and high[1] <= grey.shape[0] - 1)


def moved_landmarks(before: Chip, now: Chip, landmarks: np.ndarray) -> Optional[np.ndarray]:
    """The landmarks of the earlier frame where they are now, float32 [n, 2], or None where the flow is lost.

    before, now: chips of one face in both frames. landmarks: float32 [n, 2], pixels of the earlier picture.
    """
    points = landmarks * before.scale + before.offset
    # It begins at the same place of the chip: that was cut where the face is expected, motion and all.
    arrived, status, error = cv2.calcOpticalFlowPyrLK(
        before.picture,
        now.picture,
        points,
        points.copy(),
        winSize=(WINDOW, WINDOW),
        maxLevel=LEVELS,
        criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ITERATIONS, 0.03),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    followed = status[:, 0] == 1
    if 2 * np.count_nonzero(followed) < len(followed) or median(error[followed, 0]) > MOST_ERROR:
        return None
    shift = arrived - points
    common = median(shift[followed])
    apart = shift - common
    apart *= apart
    shift[~followed | (apart[:, 0] + apart[:, 1] > MOST_APART**2)] = common
    return np.asarray((points + shift - now.offset) / now.scale)
