"""Who belongs to whom: the best pairs of all, not the best pair first."""

from __future__ import annotations

from typing import List, Tuple

import dlib
import numpy as np


def assign(scores: np.ndarray) -> List[Tuple[int, int]]:
    """The pairs of rows and columns, each used at most once, whose scores have the largest sum.

    scores: float [n, m], 0 where a pair is impossible, above 0 otherwise; n and m may differ and be 0.
    Solved by dlib's Hungarian algorithm (Kuhn 1955): dlib is here anyway, SciPy would be 100 MB more.
    """
    rows, columns = scores.shape
    if not (scores > 0).any():
        return []
    if rows == columns == 1:
        return [(0, 0)]
    square = np.zeros((max(rows, columns),) * 2)
    square[:rows, :columns] = scores
    partners = dlib.max_cost_assignment(dlib.matrix(square))
    return [(i, j) for i, j in enumerate(partners[:rows]) if j < columns and scores[i, j] > 0]
