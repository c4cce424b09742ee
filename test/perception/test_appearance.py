"""What a face looks like: the same in another light and place, of length 1, and nothing without contrast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightfer_ros.perception.appearance import SIDE, patches

LANDMARKS = np.random.default_rng(2).uniform(200, 280, (1, 68, 2)).astype(np.float32)
SCENE = np.kron(np.random.default_rng(3).integers(60, 120, (60, 80)), np.ones((8, 8))).astype(np.uint8)


def test_a_patch_has_no_mean_and_length_1():
    patch = patches(SCENE, LANDMARKS)
    assert patch.shape == (1, SIDE**2) and patch.dtype == np.float32
    assert patch.sum() == pytest.approx(0.0, abs=1e-4)
    assert np.linalg.norm(patch) == pytest.approx(1.0, abs=1e-5)


@given(gain=st.sampled_from([0.5, 1.0, 2.0]), offset=st.integers(0, 15))
def test_light_changes_nothing(gain, offset):
    lit = (SCENE * gain + offset).astype(np.uint8)
    alike = float(patches(SCENE, LANDMARKS)[0] @ patches(lit, LANDMARKS)[0])
    assert alike > 0.995


def test_nor_does_the_place():
    moved = np.roll(SCENE, (16, 24), axis=(0, 1))
    alike = patches(SCENE, LANDMARKS)[0] @ patches(moved, LANDMARKS + np.float32([24, 16]))[0]
    assert alike == pytest.approx(1.0, abs=1e-4)


def test_another_face_looks_otherwise():
    assert patches(SCENE, LANDMARKS)[0] @ patches(SCENE, LANDMARKS + 100)[0] < 0.5


def test_a_surface_without_contrast_is_like_nothing():
    scene = SCENE.copy()
    scene[:, 320:] = 80
    seen = patches(scene, np.concatenate([LANDMARKS, LANDMARKS + np.float32([250, 0])]))
    assert np.linalg.norm(seen, axis=1) == pytest.approx([1.0, 0.0], abs=1e-5)


def test_of_nobody_there_are_none():
    assert patches(SCENE, LANDMARKS[:0]).shape == (0, SIDE**2)
