"""How well faces are found and followed, against truth, as the field measures it.

On 300 random scenes with misses, false boxes and exchanged ids, every number is that of motmetrics 1.4.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightfer_ros.benchmark.truth import TrackedBoxes
from lightfer_ros.errors import DataError
from lightfer_ros.perception.tracking import box_iou

LEAST_IOU = 0.5
"""A face is found where a box overlaps it by at least this."""

OUTER_EYE_CORNERS = (36, 45)


@dataclass(frozen=True)
class Tracking:
    """The counts over a video, and what the field makes of them.

    truths, reports: faces in all frames together. found: truths that a report overlaps. id_switches: how
    often a face is found under another id than last time. fragmentations: how often a face is lost that is
    found again later. identified: truths found under the id that suits their person best over the video.
    """

    truths: int
    reports: int
    found: int
    id_switches: int
    fragmentations: int
    identified: int

    @property
    def recall(self) -> float:
        """Share of the true faces that were found; NaN where there is none."""
        return _share(self.found, self.truths)

    @property
    def precision(self) -> float:
        """Share of the reports that are faces; NaN where there is none."""
        return _share(self.found, self.reports)

    @property
    def mota(self) -> float:
        """1 − (missed + false + switches) / truths (Bernardin & Stiefelhagen 2008); may be negative."""
        wrong = (self.truths - self.found) + (self.reports - self.found) + self.id_switches
        return 1.0 - wrong / self.truths if self.truths else float("nan")

    @property
    def idf1(self) -> float:
        """2 identified / (truths + reports) (Ristani et al. 2016); NaN where there are neither."""
        return _share(2 * self.identified, self.truths + self.reports)


@dataclass(frozen=True, eq=False)
class Match:
    """Who is who in one frame. pairs: int64 [k, 2], indices of a true face and of the reported one."""

    pairs: np.ndarray


def match_frames(truth: Sequence[TrackedBoxes], reported: Sequence[TrackedBoxes]) -> list[Match]:
    """Which report is which true face, frame by frame, with IoU of at least LEAST_IOU.

    As CLEAR MOT does it: who belonged together last still does while they overlap enough; the others are
    assigned so that most are, and among those overlap most. Raises DataError where the lengths differ.
    """
    if len(truth) != len(reported):
        raise DataError(f"{len(reported)} frames reported, expected {len(truth)} as in the truth")
    last: dict[int, int] = {}
    matches = []
    for true, given in zip(truth, reported, strict=True):
        overlap = box_iou(true.boxes, given.boxes)
        where = {identity: index for index, identity in enumerate(given.ids.tolist())}
        pairs = []
        for index, identity in enumerate(true.ids.tolist()):
            partner = where.get(last.get(identity, -1), -1) if identity in last else -1
            # Two faces may claim one report: it has been the other's since. The first keeps it.
            if partner >= 0 and overlap[index, partner] >= LEAST_IOU:
                pairs.append((index, partner))
                overlap[index, :] = overlap[:, partner] = 0.0
        pairs += _assign(overlap)
        last.update({int(true.ids[index]): int(given.ids[partner]) for index, partner in pairs})
        matches.append(Match(np.array(sorted(pairs), np.int64).reshape(-1, 2)))
    return matches


def measure(truth: Sequence[TrackedBoxes], reported: Sequence[TrackedBoxes]) -> Tracking:
    """Everything that is counted over a video. Raises DataError where the lengths differ."""
    matches = match_frames(truth, reported)
    last: dict[int, int] = {}
    tracked: dict[int, bool] = {}
    switches = fragmentations = 0
    for true, given, match in zip(truth, reported, matches, strict=True):
        partner = {int(true.ids[i]): int(given.ids[j]) for i, j in match.pairs}
        for identity in true.ids.tolist():
            found = identity in partner
            # Where a face is out of sight nothing is expected: that is no interruption.
            fragmentations += found and identity in last and not tracked[identity]
            tracked[identity] = found
            if found:
                switches += last.get(identity, partner[identity]) != partner[identity]
                last[identity] = partner[identity]
    return Tracking(
        truths=sum(map(len, truth)),
        reports=sum(map(len, reported)),
        found=sum(len(match.pairs) for match in matches),
        id_switches=switches,
        fragmentations=fragmentations,
        identified=_identified(truth, reported),
    )


def recall_by_side(
    truth: Sequence[TrackedBoxes], matches: Sequence[Match], edges: Sequence[float]
) -> list[tuple[int, int]]:
    """(found, truths) of the faces whose box is edges[i] to below edges[i + 1] pixels wide, for each i."""
    found, truths = np.zeros(len(edges) - 1, int), np.zeros(len(edges) - 1, int)
    for true, match in zip(truth, matches, strict=True):
        sides = true.boxes[:, 2] - true.boxes[:, 0]
        truths += np.histogram(sides, edges)[0]
        found += np.histogram(sides[match.pairs[:, 0]], edges)[0]
    return list(zip(found.tolist(), truths.tolist(), strict=True))


def frames_until_found(truth: Sequence[TrackedBoxes], matches: Sequence[Match]) -> dict[int, int]:
    """For each true face that is ever found: frames from the first that shows to the first that finds it."""
    shown: dict[int, int] = {}
    found: dict[int, int] = {}
    for index, (true, match) in enumerate(zip(truth, matches, strict=True)):
        for identity in true.ids.tolist():
            shown.setdefault(identity, index)
        for identity in true.ids[match.pairs[:, 0]].tolist():
            found.setdefault(identity, index)
    return {identity: index - shown[identity] for identity, index in found.items()}


def landmark_nme(given: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Normalised mean error of each face's landmarks: mean distance by that of the outer eye corners (300-W).

    Both float [n, 68, 2], pixels, iBUG order. Returns float64 [n].
    """
    right, left = (expected[:, corner].astype(np.float64) for corner in OUTER_EYE_CORNERS)
    between = np.hypot(*(left - right).T)
    away = np.linalg.norm(given.astype(np.float64) - expected, axis=2).mean(axis=1)
    return np.asarray(away / np.maximum(between, 1e-6))


def _assign(overlap: np.ndarray) -> list[tuple[int, int]]:
    from scipy.optimize import linear_sum_assignment

    # One more pair outweighs any overlap: most faces found comes first.
    value = np.where(overlap >= LEAST_IOU, len(overlap) + 1.0 + overlap, 0.0)
    rows, columns = linear_sum_assignment(value, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if value[i, j] > 0.0]


def _identified(truth: Sequence[TrackedBoxes], reported: Sequence[TrackedBoxes]) -> int:
    """Truths found under their person's id, where each person is given one id so that the sum is largest."""
    from scipy.optimize import linear_sum_assignment

    together: Counter[tuple[int, int]] = Counter()
    for true, given in zip(truth, reported, strict=True):
        near = box_iou(true.boxes, given.boxes) >= LEAST_IOU
        together.update((int(true.ids[i]), int(given.ids[j])) for i, j in np.argwhere(near))
    if not together:
        return 0
    people = sorted({person for person, _ in together})
    tracks = sorted({track for _, track in together})
    table = np.zeros((len(people), len(tracks)))
    for (person, track), count in together.items():
        table[people.index(person), tracks.index(track)] = count
    rows, columns = linear_sum_assignment(table, maximize=True)
    return int(table[rows, columns].sum())


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
