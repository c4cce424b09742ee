"""How good are predicted distributions: accuracy, F1, calibration, confusion, with their uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Dict, Tuple

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.model import EMOTIONS

Interval = Tuple[float, float]
Z95 = 1.959963984540054
BINS = 15
RESAMPLES = 1000


@dataclass(frozen=True)
class ClassScore:
    """recall: share of the true faces found. precision: share of those found that are true. NaN if none."""

    recall: float
    recall_interval: Interval
    precision: float
    precision_interval: Interval
    images: int


@dataclass(frozen=True)
class Scores:
    """Rates are fractions; intervals are 95 %. confusion: int64 [7, 7], one row per true class."""

    images: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    ece: float
    ece_interval: Interval
    per_class: Dict[str, ClassScore]
    confusion: np.ndarray


def score(probabilities: np.ndarray, labels: np.ndarray, seed: int = 0) -> Scores:
    """Compare distributions float [n, 7] with labels int [n].

    Intervals of rates are Wilson's; macro F1 and ECE are no rates of independent trials, so theirs come
    from 1,000 bootstrap resamples with `seed`, centred on the figure. Raises DataError when there are no
    faces or shapes differ.
    """
    n = len(labels)
    if not n or probabilities.shape != (n, len(EMOTIONS)):
        raise DataError(
            f"scoring: probabilities are {probabilities.shape} for {n} labels, "
            f"expected (n, {len(EMOTIONS)}) and n at least 1"
        )
    predicted = probabilities.argmax(1)
    confidence = probabilities.max(1)
    hit = predicted == labels
    table = confusion(predicted, labels)

    def f1_of(pick: np.ndarray) -> float:
        return macro_f1(confusion(predicted[pick], labels[pick]))

    def ece_of(pick: np.ndarray) -> float:
        return expected_calibration_error(confidence[pick], hit[pick])

    everything = np.arange(n)
    return Scores(
        images=n,
        accuracy=float(hit.mean()),
        accuracy_interval=wilson(int(hit.sum()), n),
        macro_f1=f1_of(everything),
        macro_f1_interval=_bootstrap(f1_of, n, seed),
        ece=ece_of(everything),
        ece_interval=_bootstrap(ece_of, n, seed),
        per_class={name: _class_score(table, i) for i, name in enumerate(EMOTIONS)},
        confusion=table,
    )


def confusion(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """int64 [7, 7]: how often each true class (row) was called each class (column)."""
    k = len(EMOTIONS)
    return np.bincount(labels * k + predicted, minlength=k * k).reshape(k, k)


def macro_f1(table: np.ndarray) -> float:
    """The mean F1 of the classes that occur among labels or predictions."""
    found, true, called = np.diag(table), table.sum(1), table.sum(0)
    present = true + called > 0
    return float((2 * found[present] / (true + called)[present]).mean())


def expected_calibration_error(confidence: np.ndarray, hit: np.ndarray, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over equally wide bins, by their faces (Guo et al. 2017)."""
    which = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(which, confidence, bins) - np.bincount(which, hit.astype(np.float64), bins)
    return float(np.abs(gap).sum() / len(confidence))


def wilson(hits: int, trials: int) -> Interval:
    """Wilson's 95 % interval of a rate; (NaN, NaN) without trials."""
    if trials == 0:
        return math.nan, math.nan
    p, zz = hits / trials, Z95 * Z95
    middle = (p + zz / (2 * trials)) / (1 + zz / trials)
    half = Z95 * math.sqrt(p * (1 - p) / trials + zz / (4 * trials * trials)) / (1 + zz / trials)
    low = max(0.0, middle - half) if hits else 0.0  # exactly, where rounding would miss the rate itself
    high = min(1.0, middle + half) if hits < trials else 1.0
    return low, high


def _class_score(table: np.ndarray, i: int) -> ClassScore:
    found, true, called = int(table[i, i]), int(table[i].sum()), int(table[:, i].sum())
    return ClassScore(
        recall=found / true if true else math.nan,
        recall_interval=wilson(found, true),
        precision=found / called if called else math.nan,
        precision_interval=wilson(found, called),
        images=true,
    )


def _bootstrap(measure: Callable[[np.ndarray], float], n: int, seed: int) -> Interval:
    rng = np.random.default_rng(seed)
    values = np.array([measure(rng.integers(0, n, n)) for _ in range(RESAMPLES)])
    # A resample is noisier than the faces themselves, and noise can only add to the gaps that ECE sums up:
    # left where they are, the resamples of a well-calibrated model would lie above its own ECE.
    values += measure(np.arange(n)) - values.mean()
    low, high = np.percentile(values, [2.5, 97.5])
    return max(0.0, float(low)), min(1.0, float(high))
