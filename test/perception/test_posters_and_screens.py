"""Faces on paper and on screens are faces too: they are followed like people, and confused with nobody."""

from __future__ import annotations

from typing import Iterable, List, Optional, Tuple

import cv2
import numpy as np
import pytest
from photos import photo, resized

from lightfer_ros.perception.faces import Faces
from lightfer_ros.perception.pipeline import Pipeline
from lightfer_ros.perception.tracking import box_iou

START, RATE = 1_800_000_000.0, 30.0
SIDE = 100
"""Width of every face's box."""

FACES = {
    "photo_single_face": (175, 190, 197),
    "photo_posed_frontal_1": (107, 147, 313),
    "photo_posed_frontal_2": (99, 165, 299),
    "photo_posed_15_degrees": (74, 176, 294),
}
"""Left and top edge of the box in each photo and its width, pixels."""

WHERE = (320, 200)
"""The middle of the face on the wall."""


def portrait(name: str, reach: float) -> np.ndarray:
    """The face with `reach` sides around its middle, uint8 [h, h, 3]."""
    left, top, width = FACES[name]
    half = round(reach * SIDE)
    grown = resized(photo(name), SIDE / width)
    x, y = (round((edge + width / 2) * SIDE / width) for edge in (left, top))
    padded = cv2.copyMakeBorder(grown, half, half, half, half, cv2.BORDER_REPLICATE)
    return padded[y : y + 2 * half, x : x + 2 * half]


class Room:
    """A wall with something on it, somebody before it, and a camera's noise."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        rough = np.random.default_rng(1).integers(60, 200, (480, 640, 3), np.uint8)
        self._wall = cv2.GaussianBlur(rough, (0, 0), 9)
        self._head = portrait("photo_single_face", 0.9)

    def __call__(self, on_the_wall: np.ndarray, walker: Optional[float] = None) -> np.ndarray:
        """uint8 [480, 640, 3]. walker: the middle of the face of who is before the wall, if anybody is."""
        picture = self._wall.copy()
        half = len(on_the_wall) // 2
        picture[WHERE[1] - half : WHERE[1] + half, WHERE[0] - half : WHERE[0] + half] = on_the_wall
        if walker is not None:
            self._stand(picture, round(walker))
        noise = self._random.normal(0.0, 2.0, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)

    def _stand(self, picture: np.ndarray, x: int) -> None:
        y, half = WHERE[1] + 20, len(self._head) // 2
        cv2.rectangle(picture, (x - 95, y + 62), (x + 95, 480), (60, 50, 45), -1)
        shape = np.zeros(picture.shape[:2], np.uint8)
        cv2.ellipse(shape, (x, y - 8), (SIDE * 5 // 8, SIDE * 5 // 6), 0, 0, 360, 1, -1)
        head = np.zeros_like(picture)
        low, high = max(0, x - half), min(640, x + half)
        head[y - half : y + half, low:high] = self._head[:, low - x + half : high - x + half]
        picture[shape > 0] = head[shape > 0]


def box_at(x: float, y: float) -> np.ndarray:
    return np.array([[x - SIDE / 2, y - SIDE / 2, x + SIDE / 2, y + SIDE / 2]])


ON_THE_WALL = box_at(*WHERE)


def shown(pipeline: Pipeline, pictures: Iterable[np.ndarray]) -> List[Faces]:
    """The faces of every picture, of which no track stays behind."""
    answers = []
    for index, picture in enumerate(pictures):
        answers.append(pipeline.process(picture, START + index / RATE))
        assert len(pipeline._tracker.track_ids) <= 3
    return answers


def who_is(faces: Faces, box: np.ndarray) -> Optional[int]:
    """The track_id of the face in this box, float [1, 4]."""
    near = np.flatnonzero(box_iou(box, faces.boxes)[0] > 0.5)
    return int(faces.track_id[near[0]]) if len(near) else None


def ids(answers: List[Faces]) -> set:
    return {track_id for faces in answers for track_id in faces.track_id.tolist()}


def on_foot(*stops: Tuple[float, float]) -> List[float]:
    """Where somebody is in each frame who is there (pixels) at these seconds."""
    seconds, places = zip(*stops)
    return np.interp(np.arange(0.0, seconds[-1], 1 / RATE), seconds, places).tolist()


def test_a_poster_that_nobody_passes_has_one_id_and_keeps_still(pipeline):
    room, poster = Room(), portrait("photo_posed_frontal_1", 1.0)
    answers = shown(pipeline, (room(poster) for _ in range(45)))
    assert all(len(faces) == 1 for faces in answers) and len(ids(answers)) == 1
    assert box_iou(answers[-1].boxes, answers[10].boxes)[0, 0] > 0.9


@pytest.mark.parametrize("name", ["photo_posed_frontal_1", "photo_single_face"])
def test_who_walks_past_a_poster_keeps_the_id_and_so_does_the_poster(pipeline, name):
    """Also where the poster is of the one who walks past."""
    room, poster = Room(), portrait(name, 1.0)
    ways = on_foot((0.0, 110), (0.5, 110), (2.0, 530), (2.5, 530))
    answers = shown(pipeline, (room(poster, x) for x in ways))
    person = [who_is(faces, box_at(x, WHERE[1] + 20)) for x, faces in zip(ways, answers)]
    paper = [who_is(faces, ON_THE_WALL) for faces in answers]
    assert person[10] == person[-1] is not None and paper[10] == paper[-1] is not None
    assert ids(answers) == {person[10], paper[10]}


@pytest.mark.parametrize("stays_s", [0.4, 3.0])
def test_who_stands_before_a_poster_is_nobody_else_and_who_is_hidden_for_longer_is_somebody_new(
    pipeline, stays_s
):
    room, poster = Room(), portrait("photo_posed_frontal_1", 1.0)
    ways = on_foot(
        (0, 110), (0.5, 110), (1.2, 320), (1.2 + stays_s, 320), (2 + stays_s, 530), (2.5 + stays_s, 530)
    )
    answers = shown(pipeline, (room(poster, x) for x in ways))
    person = [who_is(faces, box_at(x, WHERE[1] + 20)) for x, faces in zip(ways, answers)]
    before, after = who_is(answers[10], ON_THE_WALL), who_is(answers[-1], ON_THE_WALL)
    assert set(person) - {None} == {person[10]} and person[-1] == person[10]
    assert before is not None and after not in (None, person[10])
    assert (after == before) == (stays_s < 1.0)
    assert ids(answers) == {person[10], before, after}


CUTS = [
    ("photo_single_face", "photo_posed_frontal_1"),
    ("photo_posed_frontal_2", "photo_single_face"),
    ("photo_single_face", "photo_posed_15_degrees"),
]


@pytest.mark.parametrize("first, then", CUTS)
def test_after_a_cut_on_a_screen_another_face_at_the_same_place_is_somebody_new_who_inherits_nothing(
    pipeline, first, then
):
    room, (one, other) = Room(), (portrait(name, 1.2) for name in (first, then))
    answers = shown(pipeline, (room(one if n < 20 else other, 530) for n in range(30)))
    person, before, after = (
        who_is(answers[-1], box_at(530, WHERE[1] + 20)),
        who_is(answers[19], ON_THE_WALL),
        who_is(answers[-1], ON_THE_WALL),
    )
    assert None not in (person, before, after) and len({person, before, after}) == 3
    assert ids(answers) == {person, before, after} and ids(answers[20:]) == {person, after}
    pipeline.reset()
    (fresh,) = shown(pipeline, [room(other, 530)])
    new, same = (
        faces[faces.track_id == who]
        for faces, who in ((answers[20], after), (fresh, who_is(fresh, ON_THE_WALL)))
    )
    assert np.linalg.norm(new.landmarks - same.landmarks, axis=2).mean() < 0.03 * SIDE
    np.testing.assert_allclose(new.probabilities, same.probabilities, atol=0.15)


def test_a_screen_that_cuts_twice_a_second_leaves_no_tracks_and_disturbs_nobody(pipeline):
    room = Room()
    screens = [portrait(name, 1.2) for pair in CUTS[:2] for name in pair] + [
        np.full((240, 240, 3), 30, np.uint8)
    ]
    answers = shown(pipeline, (room(screens[n // 15 % 5], 530) for n in range(90)))
    person = [who_is(faces, box_at(530, WHERE[1] + 20)) for faces in answers]
    assert len(set(person)) == 1 and person[0] is not None
    assert len(ids(answers)) <= 6


def test_where_only_the_face_on_a_screen_is_exchanged_the_landmarks_are_of_the_new_one(pipeline):
    """Two people before one studio's background: that may pass for one who moved."""
    room, (one, other) = Room(), (portrait(f"photo_posed_frontal_{n}", 1.2) for n in (1, 2))
    answers = shown(pipeline, (room(one if n < 20 else other) for n in range(30)))
    pipeline.reset()
    (fresh,) = shown(pipeline, [room(other)])
    assert len(ids(answers)) <= 2
    for faces in answers[20:]:
        assert np.linalg.norm(faces.landmarks[0] - fresh.landmarks[0], axis=1).mean() < 0.05 * SIDE
