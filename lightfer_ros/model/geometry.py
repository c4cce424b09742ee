"""How a face must lie in the picture that a network sees."""

from __future__ import annotations

from dataclasses import dataclass

from lightfer_ros.errors import ModelError


@dataclass(frozen=True)
class CropGeometry:
    """Where eyes and mouth lie in a crop, as fractions of its side, origin top left.

    The eyes are level, their middle at (0.5, `eye_y`), `eye_distance` apart; the middle of the mouth is at
    `mouth_y`. The defaults are FER2013's own framing: medians over 1,868 of its training faces, found by
    dlib at four times their size.
    """

    eye_distance: float = 0.37
    eye_y: float = 0.39
    mouth_y: float = 0.79

    def __post_init__(self) -> None:
        if not 0.05 <= self.eye_distance <= 1.0:
            raise ModelError(f"crop geometry: eye_distance is {self.eye_distance}, expected 0.05 to 1.0")
        if not 0.0 <= self.eye_y < self.mouth_y <= 1.0:
            raise ModelError(
                f"crop geometry: eye_y is {self.eye_y} and mouth_y {self.mouth_y}, "
                "expected 0 <= eye_y < mouth_y <= 1"
            )
