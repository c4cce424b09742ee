"""Is an exported file still the network it was made from: compared on real faces, refused outside a bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightfer_ros.errors import ModelError


@dataclass(frozen=True)
class Bound:
    """largest: of any difference in probability. agreement: least share of faces that keep their label."""

    largest: float
    agreement: float


BOUNDS = {
    "fp32": Bound(largest=1e-4, agreement=0.999),
    "fp16": Bound(largest=0.03, agreement=0.99),
    "int8": Bound(largest=0.35, agreement=0.95),
    "int8_trt": Bound(largest=0.35, agreement=0.95),
    "int4": Bound(largest=1.0, agreement=0.5),
}
"""What each precision may change. FP32 differs by the order of sums only; INT4 is a storage format whose
accuracy is stated beside it, so only a broken file is refused."""


@dataclass(frozen=True)
class Agreement:
    """How an export and its source answer the same faces."""

    faces: int
    largest: float
    mean: float
    agreement: float


def compare_answers(source: np.ndarray, export: np.ndarray) -> Agreement:
    """source, export: probabilities float [n, 7] of the same faces."""
    gap = np.abs(source.astype(np.float64) - export)
    same = source.argmax(1) == export.argmax(1)
    return Agreement(len(source), float(gap.max()), float(gap.mean()), float(same.mean()))


def require(name: str, precision: str, found: Agreement) -> None:
    """Raise ModelError naming the file, the figures and the bound when an export strays too far."""
    bound = BOUNDS[precision]
    if not (found.largest <= bound.largest and found.agreement >= bound.agreement):
        raise ModelError(
            f"{name} is not the network it was made from: on {found.faces} faces its probabilities differ by "
            f"up to {found.largest:.2g} (at most {bound.largest:g} is allowed) and {found.agreement:.2%} "
            f"keep their label (at least {bound.agreement:.1%} is expected); nothing was written"
        )
