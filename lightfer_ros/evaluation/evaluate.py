"""Score a model file on a data set: every face once, with and without those the network was trained on."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.answers import answers, to_inputs
from lightfer_ros.evaluation.duplicates import duplicates
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.metrics import Interval, Scores, score
from lightfer_ros.model import EMOTIONS
from lightfer_ros.runtimes import Session

TIMED_FACES = 200

Reading = Callable[[np.ndarray], np.ndarray]
"""What a model answers, float32 [n, 7] → probabilities [n, 7] over EMOTIONS."""


@dataclass(frozen=True)
class Report:
    """scores: over all faces. deduplicated: over those not in the training data, None without an index.

    ms_per_image: median time of classifying one face alone. duplicates: faces left out of `deduplicated`.
    detector: what found the faces in the pictures, None where pictures were taken as they are.
    faces_not_found: pictures in which it found none, and which were therefore taken as they are.
    """

    model: str
    data: str
    scores: Scores
    deduplicated: Optional[Scores]
    duplicates: int
    ms_per_image: float
    detector: Optional[str] = None
    faces_not_found: int = 0

    def to_dict(self) -> Dict[str, Any]:
        """Plain values for JSON; every rate has its 95 % interval beside it; None where there is no value."""
        s, d = self.scores, self.deduplicated
        return {
            "model": self.model,
            "data": self.data,
            "faces": "detect" if self.detector else "as-is",
            "detector": self.detector,
            "faces_not_found": self.faces_not_found,
            "images": s.images,
            "accuracy": s.accuracy,
            "accuracy_interval": list(s.accuracy_interval),
            "accuracy_deduplicated": d.accuracy if d else None,
            "accuracy_deduplicated_interval": list(d.accuracy_interval) if d else None,
            "duplicates": self.duplicates,
            "macro_f1": s.macro_f1,
            "macro_f1_interval": list(s.macro_f1_interval),
            "ece": s.ece,
            "ece_interval": list(s.ece_interval),
            "per_class": {
                name: {
                    "recall": _number(c.recall),
                    "recall_interval": [_number(v) for v in c.recall_interval],
                    "precision": _number(c.precision),
                    "precision_interval": [_number(v) for v in c.precision_interval],
                    "images": c.images,
                }
                for name, c in s.per_class.items()
            },
            "confusion": s.confusion.tolist(),
            "ms_per_image": self.ms_per_image,
        }

    def to_text(self) -> str:
        """A table for people; rates in per cent with their 95 % intervals."""
        s, d = self.scores, self.deduplicated
        lines = [
            f"{self.model} on {self.data}: {s.images} faces, {self.ms_per_image:.2f} ms each",
            f"accuracy {_rate(s.accuracy, s.accuracy_interval)}",
        ]
        if self.detector:
            lines.append(
                f"{self.detector} found no face in {self.faces_not_found} of {s.images} pictures; "
                "those were taken as they are"
            )
        if d is not None:
            lines.append(
                f"accuracy {_rate(d.accuracy, d.accuracy_interval)} without {self.duplicates} faces "
                "that stand in the training data too"
            )
        lines.append(f"macro F1 {_rate(s.macro_f1, s.macro_f1_interval)}")
        lines.append(f"calibration error {_rate(s.ece, s.ece_interval)}")
        lines.append(f"{'':<10}{'recall':>22}{'precision':>22}{'faces':>8}   called, per cent of the row")
        lines.append(" " * 65 + "".join(f"{name[:5]:>7}" for name in EMOTIONS))
        for i, (name, c) in enumerate(s.per_class.items()):
            row = 100.0 * s.confusion[i] / max(1, c.images)
            lines.append(
                f"{name:<10}{_rate(c.recall, c.recall_interval):>22}"
                f"{_rate(c.precision, c.precision_interval):>22}{c.images:>8}   "
                + "".join(f"{value:7.1f}" for value in row)
            )
        return "\n".join(lines)


def evaluate(
    session: Session,
    faces: FaceSet,
    data: str,
    index: Optional[Path] = None,
    reading: Optional[Reading] = None,
) -> Report:
    """Classify every face and count.

    faces: of the model's input size. data: what to call them. index: hashes of the training faces, see
    `duplicates`. reading: makes probabilities of what the model answers, where it does not answer with
    those. Raises DataError when there are no faces or they are of another size.
    """
    known = np.zeros(len(faces), bool)
    if index is not None:
        known = duplicates(faces.hashes, index)
    try:
        answered = answers(session, faces.images)
    except DataError as error:
        raise DataError(f"{data}: {error}") from None
    probabilities = reading(answered) if reading else answered
    deduplicated = None
    if index is not None and not known.all():
        deduplicated = score(probabilities[~known], faces.labels[~known])
    return Report(
        model=session.metadata.name,
        data=data,
        scores=score(probabilities, faces.labels),
        deduplicated=deduplicated,
        duplicates=int(known.sum()),
        ms_per_image=_time(session, to_inputs(faces.images[:TIMED_FACES], session.metadata)),
    )


def _time(session: Session, inputs: np.ndarray) -> float:
    taken: List[float] = []
    for i in range(min(TIMED_FACES, len(inputs))):
        start = time.perf_counter()
        session.run(inputs[i : i + 1])
        taken.append(time.perf_counter() - start)
    return 1000.0 * float(np.median(taken))


def _rate(value: float, interval: Interval) -> str:
    if math.isnan(value):
        return "–"
    return f"{100 * value:.2f} ({100 * interval[0]:.1f}–{100 * interval[1]:.1f})"


def _number(value: float) -> Optional[float]:
    return None if math.isnan(value) else value
