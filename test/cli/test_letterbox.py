"""Pictures of any shape fit into one frame, whole and in proportion."""

import numpy as np
import pytest

from lightfer_ros.cli.letterbox import letterbox


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ((480, 640), (480, 640)),  # the frame's own size
        ((360, 640), (360, 640)),  # flatter: black above and below
        ((960, 640), (480, 320)),  # taller: black at the sides
        ((1, 3000), (1, 640)),  # a line is still one line
    ],
)
def test_a_picture_is_shown_whole_between_black(shape, shown):
    framed = letterbox(np.full((*shape, 3), 200, np.uint8), (640, 480))
    assert framed.shape == (480, 640, 3)
    rows, columns = np.nonzero(framed[:, :, 0])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == shown
    assert (framed[rows, columns] == 200).all()
