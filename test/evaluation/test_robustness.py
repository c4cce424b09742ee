"""Each change does to a face what its name says, and nothing at its neutral strength."""

import numpy as np
import pytest

from lightfer_ros.evaluation.robustness import CHANGES, brightness, face_size, padding, rotation, shift

NEUTRAL = {
    "padding": 0.0, "shift": 0.0, "rotation": 0.0, "blur": 0.0, "brightness": 1.0, "face_size": 48.0,
}  # fmt: skip


@pytest.fixture
def spot():
    face = np.zeros((48, 48), np.uint8)
    face[20:28, 20:28] = 200
    return face


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_gives_a_picture_of_the_same_kind(spot, name):
    change, strengths = CHANGES[name]
    for strength in strengths:
        out = change(spot, strength)
        assert out.shape == spot.shape and out.dtype == np.uint8


@pytest.mark.parametrize("name", NEUTRAL)
def test_at_its_neutral_strength_nothing_changes(spot, name):
    assert np.array_equal(CHANGES[name][0](spot, NEUTRAL[name]), spot)


def test_more_padding_shows_the_face_smaller(spot):
    light = int(spot.sum())
    assert padding(spot, 0.6).sum() == pytest.approx(light / 1.6**2, rel=0.05)
    assert padding(spot, -0.2).sum() == pytest.approx(light / 0.8**2, rel=0.05)


def test_a_shift_moves_right_and_down(spot):
    rows, columns = np.nonzero(shift(spot, 0.25) > 100)
    assert rows.mean() == columns.mean() == pytest.approx(23.5 + 12)


def test_a_turn_keeps_the_middle(spot):
    spot[23:25, 4:8] = 200
    out = rotation(spot, 90)
    assert out[23:25, 23:25].min() == 200 and out[40:44, 23:25].min() == 200


def test_light_clips_and_small_faces_lose_detail(spot):
    assert brightness(spot, 3.0).max() == 255 and brightness(spot, 0.5).max() == 100
    noise = np.random.default_rng(0).integers(0, 256, (48, 48)).astype(np.uint8)
    assert face_size(noise, 12).std() < 0.5 * noise.std()
