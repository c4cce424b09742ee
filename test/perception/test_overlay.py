"""The overlay: what is known is drawn, what is not is left out, and nothing breaks the picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lightfer_ros.model import manifest
from lightfer_ros.model.labels import EMOTIONS
from lightfer_ros.perception.faces import DETECTED, PREDICTED, Faces
from lightfer_ros.perception.overlay import CONTOURS, draw
from lightfer_ros.perception.palette import COLOURS_BGR

BOX = [200.0, 150.0, 320.0, 270.0]


def face(**known) -> Faces:
    """One face in the middle of a 640x480 picture, with what is known of it."""
    return Faces(boxes=[BOX], **{name: [value] for name, value in known.items()})


def distribution(**probabilities) -> np.ndarray:
    return np.array([probabilities.get(name, 0.0) for name in EMOTIONS], np.float32)


def night() -> np.ndarray:
    return np.zeros((480, 640, 3), np.uint8)


def pixels_of(picture: np.ndarray, colour) -> int:
    return int((picture == colour).all(axis=2).sum())


def test_a_picture_without_faces_stays_as_it_is_and_is_never_drawn_into():
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    picture.flags.writeable = False
    drawn = draw(picture, Faces.empty())
    assert np.array_equal(drawn, picture) and not np.shares_memory(drawn, picture)


@pytest.mark.parametrize("expression", EMOTIONS)
def test_box_and_bars_have_the_colour_of_the_expression(expression):
    drawn = draw(night(), face(probabilities=distribution(**{expression: 1.0}), track_id=3))
    x1, y1, x2, y2 = (int(side) for side in BOX)
    colour = COLOURS_BGR[EMOTIONS.index(expression)]
    assert pixels_of(drawn[y1 - 4 : y2 + 4, x1 - 4 : x2 + 4], colour) > 100
    others = [other for other in COLOURS_BGR if other != colour]
    assert sum(pixels_of(drawn, other) for other in others) == 0


def test_a_bar_is_as_long_as_its_probability():
    def bar(name, probability):
        shares = distribution(happy=1.0, **{name: probability})
        return pixels_of(draw(night(), face(probabilities=shares)), COLOURS_BGR[EMOTIONS.index(name)])

    for name in ("angry", "sad", "neutral"):
        assert bar(name, 0.0) == 0
        assert bar(name, 0.25) == pytest.approx(bar(name, 0.999) / 4, rel=0.1)
        assert bar(name, 0.5) == pytest.approx(bar(name, 0.999) / 2, rel=0.1)


def test_an_unknown_expression_has_a_tag_but_no_chart_and_no_colour():
    unknown = draw(night(), face(track_id=3))
    assert all(pixels_of(unknown, colour) == 0 for colour in COLOURS_BGR)
    above, beside = unknown[120:150, 200:320], unknown[140:280, 330:]
    assert above.any() and not beside.any()
    assert draw(night(), face(probabilities=distribution(happy=1.0)))[140:280, 330:].any()


def test_the_tag_shows_track_and_confidence():
    def tag(**known):
        return draw(night(), face(**known))[110:150, 190:400]

    base = tag(track_id=3, probabilities=distribution(happy=0.92, sad=0.08))
    assert not np.array_equal(base, tag(track_id=8, probabilities=distribution(happy=0.92, sad=0.08)))
    assert not np.array_equal(base, tag(track_id=3, probabilities=distribution(happy=0.61, sad=0.39)))
    assert np.array_equal(base, tag(track_id=3, probabilities=distribution(happy=0.92, angry=0.08)))


def test_a_face_that_is_only_expected_is_drawn_fainter_than_one_that_is_seen():
    seen = draw(night(), face(state=DETECTED))
    expected = draw(night(), face(state=PREDICTED))
    assert seen.astype(int).sum() > expected.astype(int).sum() > 0


def test_each_of_the_68_points_is_on_a_line():
    assert sorted({point for contour in CONTOURS for point in contour}) == list(range(68))
    x, y = np.meshgrid(np.arange(10), np.arange(7))
    landmarks = np.stack([220 + 9 * x.ravel(), 170 + 9 * y.ravel()], axis=1)[:68].astype(np.float32)
    drawn = draw(night(), face(landmarks=landmarks))
    assert all(drawn[int(row), int(column)].any() for column, row in landmarks)


def test_points_of_a_small_face_are_single_pixels():
    landmarks = np.array([(210 + 2 * (i % 20), 200 + 4 * (i // 20)) for i in range(68)], np.float32)
    with_points = draw(night(), face(landmarks=landmarks))
    assert (with_points != draw(night(), face())).any(axis=2).sum() == 68


def test_charts_and_tags_of_five_people_hide_nobodys_eyes_nose_or_mouth():
    photo = cv2.resize(cv2.imread(str(manifest.find("photo_multi_face"))), (720, 480))
    boxes = [
        [153, 56, 223, 126],
        [223, 182, 301, 261],
        [311, 164, 377, 229],
        [380, 232, 460, 312],
        [491, 222, 575, 305],
    ]
    probabilities = np.tile(distribution(happy=0.9, neutral=0.1), (5, 1))
    drawn = draw(photo, Faces(boxes=boxes, probabilities=probabilities, track_id=range(1, 6)))
    for x1, y1, x2, y2 in boxes:
        inner = np.s_[y1 + 20 : y2 - 12, x1 + 16 : x2 - 16]
        assert np.array_equal(drawn[inner], photo[inner])


def test_a_caption_stands_in_the_lower_left_corner():
    drawn = draw(night(), Faces.empty(), "30 fps")
    assert drawn[440:, :100].any() and not drawn[:440].any() and not drawn[:, 100:].any()


@settings(deadline=None, max_examples=150)
@given(st.data(), st.integers(1, 90), st.integers(1, 90), st.integers(0, 4))
def test_nothing_known_of_faces_breaks_the_picture(data, width, height, count):
    anywhere = st.floats(-200, 300, width=32) | st.floats(width=32)
    faces = Faces(
        boxes=data.draw(hnp.arrays(np.float32, (count, 4), elements=anywhere)),
        landmarks=data.draw(hnp.arrays(np.float32, (count, 68, 2), elements=anywhere)),
        probabilities=data.draw(hnp.arrays(np.float32, (count, 7), elements=st.floats(0, 1, width=32))),
        track_id=data.draw(hnp.arrays(np.int64, count)),
        state=np.full(count, PREDICTED),
    )
    drawn = draw(np.zeros((height, width, 3), np.uint8), faces, "caption")
    assert drawn.shape == (height, width, 3) and drawn.dtype == np.uint8
