"""Confidences that mean what they say: a temperature and a bias per class, fitted by maximum likelihood.

Bias-corrected temperature scaling (Alexandari et al. 2020, arXiv:1901.06852): softmax(log p / T + b). The
temperature (Guo et al. 2017, arXiv:1706.04599) makes a network as sure as it is right; the bias takes back
what soft targets did to how often each class is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

import numpy as np

ROUNDS = 30
RIDGE = 1e-6
"""Keeps Newton's system solvable: the likelihood is the same for biases that differ by a constant."""
COOLEST, HOTTEST = 1 / 8, 8.0
"""Temperatures beyond are those of faces too few to tell."""


@dataclass(frozen=True)
class Calibration:
    """What is done to logits: divided by `temperature`, `bias` added, one for each class, summing to 0."""

    temperature: float
    bias: Tuple[float, ...]

    def __call__(self, probabilities: np.ndarray) -> np.ndarray:
        """The distributions float64 [n, k] that calibrated logits give, from those of uncalibrated ones."""
        return _softmax(_log(probabilities) / self.temperature + np.array(self.bias))


def fit(probabilities: np.ndarray, labels: np.ndarray) -> Calibration:
    """The calibration of distributions float [n, k] that makes the labels int [n] most likely.

    Newton's method; the likelihood has one peak in 1 / T and b. A class that no label names keeps bias 0
    before the mean is taken off: nothing is known of it.
    """
    log_p = _log(probabilities)
    n, k = log_p.shape
    named = np.bincount(labels, minlength=k) > 0
    goal = np.eye(k)[labels]
    unknowns = np.concatenate([[1.0], np.zeros(k)])
    for _ in range(ROUNDS):
        p = _softmax(log_p * unknowns[0] + unknowns[1:])
        features = np.concatenate([log_p[:, :, None], np.broadcast_to(np.eye(k) * named, (n, k, k))], 2)
        slope = np.einsum("nc,ncf->f", p - goal, features) / n
        mean = np.einsum("nc,ncf->nf", p, features)
        curvature = np.einsum("nc,ncf,ncg->fg", p, features, features) / n - mean.T @ mean / n
        step = np.linalg.solve(curvature + RIDGE * np.eye(k + 1), slope)
        unknowns = unknowns - step / max(
            1.0, float(np.abs(step).max())
        )  # at most 1 at once, or it may run off
        unknowns[0] = np.clip(unknowns[0], 1 / HOTTEST, 1 / COOLEST)
    bias = unknowns[1:] - unknowns[1:].mean()
    return Calibration(1.0 / float(unknowns[0]), tuple(float(b) for b in bias))


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.maximum(probabilities.astype(np.float64), 1e-30)))


def _softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(e / e.sum(1, keepdims=True))
