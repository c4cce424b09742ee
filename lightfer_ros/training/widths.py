"""How many channels each map of an Xception has, and what that costs by Eq. 1 of the Light-FER paper.

Maps that are added to each other share one width: all middle blocks add to one trunk. So a width belongs
to a group of layers, and a channel can only be removed from a whole group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lightfer_ros.model import EMOTIONS

Widths = Mapping[str, int]

INPUT = "input"
LOGITS = "logits"


@dataclass(frozen=True)
class LayerShape:
    """One convolution or the dense layer: from group `source` to group `target`, `kernel` pixels wide.

    norm: whether batch normalization follows, whose bias it then has when folded. Depthwise layers have
    source = target.
    """

    name: str
    source: str
    target: str
    kernel: int
    depthwise: bool = False
    norm: bool = True


def published_widths(middle_blocks: int = 8) -> dict[str, int]:
    """Xception's own widths (Chollet 2017, arXiv:1610.02357) by group, in running order."""
    out = {"stem1": 32, "stem2": 64}
    for i, width in enumerate((128, 256, 728), 1):
        out[f"entry{i}_inner"] = width
        out[f"entry{i}" if i < 3 else "trunk"] = width
    for i in range(1, middle_blocks + 1):
        out[f"middle{i}_first"] = out[f"middle{i}_second"] = 728
    out.update(exit1_inner=728, exit1=1024, exit2=1536, exit3=2048)
    return out


def layer_shapes(middle_blocks: int = 8) -> tuple[LayerShape, ...]:
    """Every layer with weights, in running order, under the names of the network's layers."""
    out: list[LayerShape] = []

    def separable(name: str, source: str, target: str) -> None:
        out.append(LayerShape(f"{name}_dw", source, source, 3, depthwise=True, norm=False))
        out.append(LayerShape(f"{name}_pw", source, target, 1))

    def down_block(name: str, source: str, inner: str, target: str) -> None:
        out.append(LayerShape(f"{name}_shortcut", source, target, 1))
        separable(f"{name}_sep1", source, inner)
        separable(f"{name}_sep2", inner, target)

    out.append(LayerShape("stem1", INPUT, "stem1", 3))
    out.append(LayerShape("stem2", "stem1", "stem2", 3))
    down_block("entry1", "stem2", "entry1_inner", "entry1")
    down_block("entry2", "entry1", "entry2_inner", "entry2")
    down_block("entry3", "entry2", "entry3_inner", "trunk")
    for i in range(1, middle_blocks + 1):
        separable(f"middle{i}_sep1", "trunk", f"middle{i}_first")
        separable(f"middle{i}_sep2", f"middle{i}_first", f"middle{i}_second")
        separable(f"middle{i}_sep3", f"middle{i}_second", "trunk")
    down_block("exit1", "trunk", "exit1_inner", "exit1")
    separable("exit2", "exit1", "exit2")
    separable("exit3", "exit2", "exit3")
    out.append(LayerShape(LOGITS, "exit3", LOGITS, 1, norm=False))
    return tuple(out)


def equation_1(shapes: tuple[LayerShape, ...], widths: Widths) -> int:
    """Σ (weights + filters + channels) over all layers: numerator or denominator of R.

    Weights are kernels and biases, with batch normalization folded.
    """
    full = {**widths, INPUT: 1, LOGITS: len(EMOTIONS)}
    total = 0
    for shape in shapes:
        channels, filters = full[shape.source], full[shape.target]
        weights = filters * shape.kernel**2 * (1 if shape.depthwise else channels)
        bias = filters if shape.norm or shape.target == LOGITS else 0
        total += weights + bias + filters + channels
    return total
