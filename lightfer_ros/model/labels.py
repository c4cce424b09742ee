"""The seven expressions, in the order of every array and message, and their place in valence and arousal."""

from __future__ import annotations

from typing import Tuple

import numpy as np

EMOTIONS: Tuple[str, ...] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's classes in FER2013's order; index i of any probability vector is EMOTIONS[i]."""

VALENCE = np.array([-0.51, -0.60, -0.64, 0.81, -0.63, 0.40, 0.0], dtype=np.float32)
AROUSAL = np.array([0.59, 0.35, 0.60, 0.51, -0.27, 0.67, 0.0], dtype=np.float32)
"""Mean pleasure and arousal ratings, −1 to 1, of the terms angry, disgusted, fearful, happy, sad and
surprised in Russell & Mehrabian (1977), Evidence for a three-factor theory of emotions, Journal of
Research in Personality 11(3), 273–294; neutral is the origin."""


def valence_arousal(probabilities: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Expected valence and arousal of each distribution over EMOTIONS.

    probabilities: float32 [..., 7], each row sums to 1. Returns two arrays [...], −1 to 1: the ratings of
    the seven expressions weighted by their probabilities. NaN rows stay NaN.
    """
    return probabilities @ VALENCE, probabilities @ AROUSAL
