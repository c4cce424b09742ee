"""The palette: one colour for each expression, told apart by everybody and on any ground."""

from itertools import combinations

import cv2
import numpy as np

from lightfer_ros.model import EMOTIONS
from lightfer_ros.perception.palette import COLOURS_BGR, UNSET_BGR

ALL_COLOURS = np.eye(3)
RED_BLIND = np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]])
GREEN_BLIND = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
"""What is left of linear red, green, blue: Machado, Oliveira & Fernandes 2009, severity 1."""

JUST_NOTICEABLE = 2.3
"""CIE 1976 colour difference that half of all observers see."""


def lab(colours_bgr: np.ndarray, eye: np.ndarray = ALL_COLOURS) -> np.ndarray:
    """CIE L*a*b* of colours as an eye sees them, [n, 3]."""
    encoded = np.asarray(colours_bgr, np.float64)[:, ::-1] / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ eye.T, 0, 1).astype(np.float32)
    return cv2.cvtColor(seen[None], cv2.COLOR_LRGB2LAB)[0]


def test_there_is_one_colour_for_each_expression_and_none_means_unknown():
    assert len(COLOURS_BGR) == len(set(COLOURS_BGR)) == len(EMOTIONS)
    assert UNSET_BGR not in COLOURS_BGR


def test_colour_blind_eyes_tell_the_expressions_apart_too():
    for eye in (ALL_COLOURS, RED_BLIND, GREEN_BLIND):
        colours = lab(COLOURS_BGR, eye)
        nearest = min(np.linalg.norm(one - other) for one, other in combinations(colours, 2))
        assert nearest > 4 * JUST_NOTICEABLE


def test_every_colour_is_seen_on_black():
    assert lab(COLOURS_BGR)[:, 0].min() > 45
