"""Whatever a camera shows: no exception, no face made up, sensible ids, and no track that stays behind."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from photos import photo, placed, resized

from lightfer_ros.perception.faces import DETECTED, Faces
from lightfer_ros.perception.pipeline import Pipeline, PipelineConfig
from lightfer_ros.perception.tracking import box_iou

START = 1_800_000_000.0
FACE_PX, FACE_LEFT, FACE_TOP = 210, 170, 185
"""The one face of the photo: width of its box, left and top edge, by eye."""


@pytest.fixture(scope="module")
def single() -> np.ndarray:
    return photo("photo_single_face")


def scene(
    single: np.ndarray, side: int, left: int = 40, top: int = 40, size: tuple = (640, 480)
) -> np.ndarray:
    return placed(resized(single, side / FACE_PX), left, top, *size)


def expected_box(side: int, left: int = 40, top: int = 40) -> np.ndarray:
    x, y = left + side / FACE_PX * FACE_LEFT, top + side / FACE_PX * FACE_TOP
    return np.array([[x, y, x + side, y + side]])


def shown(pipeline: Pipeline, pictures, rate: float = 30.0, start: float = START) -> list:
    """The faces of every picture, one after another; what is always true of them is checked."""
    answers = []
    for index, picture in enumerate(pictures):
        faces = pipeline.process(picture, start + index / rate)
        assert (np.diff(faces.track_id) > 0).all() and (faces.track_id > 0).all()
        assert np.isfinite(faces.boxes).all() and np.isfinite(faces.landmarks).all()
        assert (faces.classification_age >= 0).all() and (faces.time_in_view >= 0).all()
        assert len(pipeline._tracker.track_ids) <= len(faces) + 8
        answers.append(faces)
    return answers


def ids(answers) -> set:
    return {track for faces in answers for track in faces.track_id.tolist()}


@pytest.mark.parametrize("side", [20, 40, 120, 600])
def test_a_face_of_any_size_is_followed_from_40_px_on_and_a_smaller_one_breaks_nothing(
    pipeline, single, side
):
    size = (640 + 2 * side, 480 + 2 * side) if side > 200 else (640, 480)
    answers = shown(pipeline, [scene(single, side, size=size)] * 12)
    assert len(ids(answers)) <= 1
    if side >= 40:
        assert all(len(faces) == 1 for faces in answers)
        assert box_iou(answers[-1].boxes, expected_box(side))[0, 0] > 0.6


def test_a_face_that_slides_out_over_the_border_keeps_its_id_until_it_is_gone_and_then_its_track_ends(
    pipeline, single
):
    pictures = [scene(single, 120, left) for left in range(40, -300, -6)]
    answers = shown(pipeline, pictures)
    assert len(ids(answers)) == 1 and len(answers[20]) == 1 and len(answers[-1]) == 0
    shown(pipeline, [pictures[-1]] * 10, rate=5.0, start=START + len(pictures) / 30)
    assert pipeline._tracker.track_ids == []


def test_sixty_faces_are_followed_up_to_the_limit_and_each_keeps_its_id(pipeline, single):
    tile = resized(single[150:430, 130:430], 64 / 280)
    wall = np.tile(tile, (6, 10, 1))[: 6 * 64]
    picture = np.full((480, wall.shape[1] + 20, 3), 128, np.uint8)
    picture[48 : 48 + len(wall), 10 : 10 + wall.shape[1]] = wall
    chance = np.random.default_rng(0)
    pictures = []
    for i in range(30):  # they sway, and the camera's noise makes now one box the largest, now another
        swayed = np.roll(picture, (round(2 * math.sin(i / 3)), round(3 * math.sin(i / 5))), (0, 1))
        pictures.append(np.clip(swayed + chance.normal(0, 3, swayed.shape), 0, 255).astype(np.uint8))
    answers = shown(pipeline, pictures)
    most = PipelineConfig().max_faces
    assert all(25 <= len(faces) <= most for faces in answers[3:])
    assert len(ids(answers[3:])) <= most + 2


@pytest.mark.parametrize("change", ["upside down", "dark", "mirrored"])
def test_a_turned_dark_or_mirrored_picture_gives_at_most_the_one_face(pipeline, single, change):
    picture = scene(single, 150)
    altered = {
        "upside down": np.ascontiguousarray(picture[::-1, ::-1]),
        "dark": cv2.convertScaleAbs(picture, alpha=0.08),
        "mirrored": np.ascontiguousarray(picture[:, ::-1]),
    }[change]
    answers = shown(pipeline, [altered] * 10)
    assert all(len(faces) <= 1 for faces in answers) and len(ids(answers)) <= 1
    if change == "mirrored":
        assert all(len(faces) == 1 for faces in answers)


def test_a_frozen_picture_keeps_everybody_as_long_as_it_lasts(pipeline, single):
    answers = shown(pipeline, [photo("photo_multi_face")] * 40)
    assert all(len(faces) == 5 for faces in answers) and len(ids(answers)) == 5
    np.testing.assert_allclose(answers[-1].boxes, answers[5].boxes, atol=4.0)


@pytest.mark.parametrize("rate", [1, 7, 120])
def test_at_any_frame_rate_a_walking_face_keeps_its_id(pipeline, single, rate):
    step = min(120.0 / rate, 60.0)  # a face width a second
    pictures = [scene(single, 120, round(20 + step * n)) for n in range(min(rate + 2, 40))]
    answers = shown(pipeline, pictures, rate)
    assert all(len(faces) == 1 for faces in answers) and len(ids(answers)) == 1


@pytest.mark.parametrize("step", [-0.002, -0.1, -0.3])
def test_a_clock_that_is_set_back_a_little_costs_nobody_their_id(pipeline, single, step):
    pictures = [single] * 15
    before, after = shown(pipeline, pictures), shown(pipeline, pictures, start=START + 0.5 + step)
    assert {i for faces in after for i in faces.track_id.tolist()} == set(before[-1].track_id.tolist())
    assert after[-1].time_in_view[0] > before[-1].time_in_view[0]


@pytest.mark.parametrize("jump", [-3600.0, 86400.0])
def test_after_a_jump_in_time_work_goes_on_with_new_ids_and_no_old_tracks(pipeline, single, jump):
    pictures = [scene(single, 120)] * 5
    before, after = shown(pipeline, pictures), shown(pipeline, pictures, start=START + jump)
    assert all(len(faces) == 1 for faces in after) and not ids(before) & ids(after)
    assert len(pipeline._tracker.track_ids) == 1


def test_a_picture_that_changes_size_in_mid_stream_starts_anew(pipeline, single):
    answers = []
    for index, size in enumerate([(640, 480), (320, 240), (1280, 720), (100, 80), (1, 1), (640, 480)]):
        picture = scene(single, 60)[: size[1], : size[0]]
        if size[0] > 640:
            picture = placed(picture, 0, 0, *size)
        answers += shown(pipeline, [np.ascontiguousarray(picture)] * 2, start=START + index)
    assert len(answers[0]) == len(answers[1]) == len(answers[-1]) == 1 and len(answers[8]) == 0
    assert not ids(answers[:2]) & ids(answers[-2:])


def test_noise_and_flicker_make_up_no_faces(pipeline):
    random = np.random.default_rng(0)
    noise = [random.integers(0, 255, (480, 640, 3), np.uint8) for _ in range(10)]
    flicker = [np.full((480, 640, 3), 255 * (n % 2), np.uint8) for n in range(10)]
    assert all(len(faces) == 0 for faces in shown(pipeline, noise + flicker))


def test_two_people_who_pass_each_other_and_one_who_is_hidden_meanwhile_keep_their_ids(pipeline, single):
    """The man walks before a woman who stands: hidden for about half a second, she is herself again."""
    woman = resized(photo("photo_posed_frontal_1"), 0.28)
    man = resized(single, 110 / FACE_PX)[60:250, 50:250]
    background = cv2.GaussianBlur(
        np.random.default_rng(1).integers(60, 200, (480, 640, 3), np.uint8), (0, 0), 9
    )
    answers = []
    for n in range(75):
        picture = background.copy()
        picture[150 : 150 + woman.shape[0], 250 : 250 + woman.shape[1]] = woman
        left = -190 + 11 * n
        x1, x2 = max(0, left), min(640, left + man.shape[1])
        if x1 < x2:
            picture[130 : 130 + man.shape[0], x1:x2] = man[:, x1 - left : x2 - left]
        answers += shown(pipeline, [picture], start=START + n / 30)
    first, last = answers[2], answers[-1]
    assert len(first) == len(last) == 1
    assert last.track_id.tolist() == first.track_id.tolist()
    assert len(ids(answers)) == 2
    assert any(len(faces) == 2 for faces in answers)


def test_what_is_answered_is_a_value_that_later_frames_do_not_change(pipeline, single):
    first = pipeline.process(scene(single, 120), START)
    kept = Faces(**{name: getattr(first, name).copy() for name in ("boxes", "landmarks", "probabilities")})
    shown(pipeline, [scene(single, 120, 40 + 4 * n) for n in range(1, 8)], start=START + 1 / 30)
    np.testing.assert_array_equal(first.boxes, kept.boxes)
    np.testing.assert_array_equal(first.probabilities, kept.probabilities)
    np.testing.assert_array_equal(first.landmarks, kept.landmarks)


def test_a_box_is_of_the_whole_face_or_not_told_of_while_something_covers_it(pipeline, single):
    side, picture = 120, scene(single, 120, 200)
    x1, _, x2, _ = expected_box(side, 200)[0].astype(int)
    covers = [0] * 20 + list(range(0, x2 - x1 + 20, 3)) + [x2 - x1 + 20] * 5 + [0] * 10
    pictures = []
    for width in covers:
        pictures.append(picture.copy())
        pictures[-1][:, x2 + 10 - width : x2 + 10] = 120
    answers = shown(pipeline, pictures)
    whole = answers[19].boxes
    for width, faces in zip(covers, answers):
        assert (box_iou(faces.boxes, whole)[:, 0] > 0.5).all(), f"{width} px covered"
    assert not len(answers[-11]) and len(answers[-1]) == 1 and ids(answers) == {answers[0].track_id[0]}


def test_a_whole_face_is_told_of_at_once_where_somebody_has_just_been_hidden_however_they_look(
    pipeline, single, monkeypatch
):
    monkeypatch.setattr("lightfer_ros.perception.association.AGAIN", 1.1)  # nobody looks like themselves
    picture = scene(single, 120, 200)
    hidden = picture.copy()
    hidden[:, 280:440] = 120
    answers = shown(pipeline, [picture] * 12 + [hidden] * 5 + [picture] * 5)
    assert [len(faces) for faces in answers[:17]] == [1] * 12 + [0] * 5
    assert all(len(faces) == 1 for faces in answers[19:])


def test_a_weak_detection_beside_somebody_known_is_nobody_new(pipeline, single, monkeypatch):
    detector = pipeline._tracker.detector
    detect = detector.detect
    beside = expected_box(120, 200) + np.array([70, -70, 70, -70])

    def with_a_weak_one(frame, least=None) -> Faces:
        weak = Faces(boxes=beside, confidence=[0.9 * detector.threshold], state=[DETECTED])
        return Faces.merge([detect(frame, least), weak])

    monkeypatch.setattr(detector, "detect", with_a_weak_one)
    assert all(len(faces) == 1 for faces in shown(pipeline, [scene(single, 120, 200)] * 20))
