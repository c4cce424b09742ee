"""The scenes that people are tracked in: who walks where, before what, behind what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lightfer_ros.benchmark.cutout import Person

WIDTH, HEIGHT, RATE = 640, 480, 30

MAN = Person("photo_single_face", garment=(48, 32, 26))
SMILING = Person("clip_smile", 58)
SURPRISED = Person("photo_posed_frontal_1", garment=(60, 75, 120))
LAUGHING = Person("photo_posed_frontal_2", garment=(95, 60, 45))
FROWNING = Person("photo_posed_15_degrees", garment=(70, 95, 70))
MUSING = Person("clip_expression", 236, garment=(75, 65, 60))

GARAGE, LAUNCH_PAD, TABLE = "motorcycle_left.png", "rocket.jpg", "coffee.png"
"""Backgrounds: photos without people that come with scikit-image."""


@dataclass(frozen=True)
class Walk:
    """Somebody's way: seconds, the face's centre x and y and its box's side in pixels, gone through smoothly.

    Before the first and after the last point the person is not there. `sway` is the unrest of a standing
    person: how far the head drifts, in sides. turns: seconds and yaw in degrees, gone through smoothly, > 0
    to their own left, 180 right round; before the first and after the last they stay turned as there. Who
    turns looks ahead in their photo.
    """

    person: Person
    points: tuple[tuple[float, float, float, float], ...]
    sway: float = 0.12
    turns: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Pillar:
    """Something to pass behind, from `left` to `right`, in pixels, as high as the picture."""

    left: int
    right: int


@dataclass(frozen=True)
class Shot:
    """One camera position. layers: what there is before the background, the farthest first."""

    background: str
    seconds: float
    layers: tuple[Walk | Pillar, ...]


def _stays(person: Person, seconds: float, x: float, y: float, side: float, sway: float = 0.12) -> Walk:
    return Walk(person, ((0.0, x, y, side), (seconds, x, y, side)), sway)


SCENARIOS: Mapping[str, tuple[Shot, ...]] = MappingProxyType(
    {
        # Somebody stands and talks, steps aside quickly, comes back.
        "one_face": (
            Shot(
                GARAGE,
                12.0,
                (
                    Walk(
                        MAN,
                        (
                            (0, 330, 210, 118),
                            (4, 320, 210, 120),
                            (4.7, 470, 205, 122),
                            (6.5, 465, 208, 122),
                            (7.3, 200, 205, 122),
                            (9.0, 210, 208, 124),
                            (10.5, 320, 212, 128),
                            (12, 322, 212, 128),
                        ),
                    ),
                ),
            ),
        ),
        # Two rows of three, as in a meeting; the back row is smaller than HOG finds without upsampling.
        "six_faces": (
            Shot(
                GARAGE,
                12.0,
                (
                    _stays(LAUGHING, 12, 130, 130, 66),
                    _stays(MUSING, 12, 320, 120, 68),
                    _stays(FROWNING, 12, 515, 128, 66),
                    _stays(SMILING, 12, 105, 275, 100),
                    _stays(MAN, 12, 320, 285, 96),
                    _stays(SURPRISED, 12, 535, 280, 100),
                ),
            ),
        ),
        # Two walk past each other and back, a third stands behind them.
        "crossing": (
            Shot(
                GARAGE,
                12.0,
                (
                    _stays(LAUGHING, 12, 330, 150, 84),
                    Walk(
                        SMILING,
                        (
                            (0, 90, 190, 96),
                            (1, 95, 190, 96),
                            (4, 560, 192, 96),
                            (6, 555, 190, 96),
                            (10.5, 95, 195, 96),
                            (12, 95, 195, 96),
                        ),
                    ),
                    Walk(
                        MAN,
                        (
                            (0, 560, 230, 112),
                            (1, 555, 230, 112),
                            (5, 100, 228, 112),
                            (6.5, 100, 230, 112),
                            (9.5, 550, 232, 112),
                            (12, 548, 232, 112),
                        ),
                    ),
                ),
            ),
        ),
        # A pillar that is passed behind at several speeds; somebody else stays in view.
        "occlusion": (
            Shot(
                LAUNCH_PAD,
                14.0,
                (
                    Walk(
                        LAUGHING,
                        (
                            (0, 110, 200, 96),
                            (1, 110, 200, 96),
                            (4, 490, 196, 96),
                            (5.5, 495, 198, 98),
                            (7, 130, 200, 98),
                            (9, 130, 205, 100),
                            (11.0, 288, 203, 99),
                            (12.0, 342, 203, 99),
                            (14, 470, 200, 98),
                        ),
                        0.05,
                    ),
                    Pillar(255, 375),
                    _stays(MAN, 14, 560, 300, 110),
                ),
            ),
        ),
        # Two leave the picture and come back: one at once, at the same place; one after three seconds.
        "returning": (
            Shot(
                GARAGE,
                14.0,
                (
                    Walk(
                        SURPRISED,
                        (
                            (0, 480, 200, 100),
                            (2, 480, 200, 100),
                            (3.2, 720, 200, 100),
                            (3.3, 722, 200, 100),
                            (4.5, 500, 205, 100),
                            (14, 490, 205, 102),
                        ),
                    ),
                    Walk(
                        SMILING,
                        (
                            (0, 190, 230, 110),
                            (5, 195, 230, 110),
                            (6.5, -120, 232, 110),
                            (9.5, -120, 232, 110),
                            (11, 190, 228, 110),
                            (14, 195, 230, 110),
                        ),
                    ),
                ),
            ),
        ),
        # Somebody comes from two metres and more away up to the camera, and goes back.
        "scale": (
            Shot(
                LAUNCH_PAD,
                14.0,
                (
                    Walk(
                        LAUGHING,
                        (
                            (0, 250, 170, 40),
                            (1.5, 255, 170, 41),
                            (6.5, 330, 230, 250),
                            (8, 330, 232, 250),
                            (12.5, 400, 180, 44),
                            (14, 402, 180, 40),
                        ),
                    ),
                ),
            ),
        ),
        # Two turn their heads, and right round for a moment, one standing, one walking; a third stays.
        "turning": (
            Shot(
                GARAGE,
                14.0,
                (
                    _stays(MAN, 14, 300, 150, 84),
                    Walk(
                        LAUGHING,
                        ((0, 130, 210, 104), (14, 135, 210, 106)),
                        turns=(
                            (1.0, 0),
                            (1.5, 60),
                            (2.2, 60),
                            (2.7, 0),
                            (3.5, 0),
                            (4.15, 180),
                            (4.4, 180),
                            (5.05, 0),
                            (6.5, 0),
                            (7.0, -75),
                            (8.2, -75),
                            (8.7, 0),
                            (10.0, 0),
                            (10.6, -180),
                            (10.75, -180),
                            (11.35, 0),
                        ),
                    ),
                    Walk(
                        FROWNING,
                        (
                            (0, 450, 230, 104),
                            (1.5, 450, 230, 104),
                            (5.0, 565, 230, 108),
                            (6.5, 565, 230, 108),
                            (9.5, 455, 228, 104),
                            (14, 460, 230, 104),
                        ),
                        turns=(
                            (1.2, 0),
                            (1.7, 50),
                            (2.2, 50),
                            (2.7, 150),
                            (3.05, 150),
                            (3.65, 40),
                            (5.0, 0),
                            (6.0, 0),
                            (6.5, -75),
                            (7.5, -75),
                            (8.0, 0),
                            (11.0, 0),
                            (11.5, 75),
                            (12.0, 0),
                            (12.5, -75),
                            (13.0, 0),
                        ),
                    ),
                ),
            ),
        ),
        # Four cameras: two people, two others at the same places, nobody, somebody.
        "cut": (
            Shot(GARAGE, 3.5, (_stays(SMILING, 3.5, 200, 200, 100), _stays(LAUGHING, 3.5, 430, 205, 104))),
            Shot(LAUNCH_PAD, 3.5, (_stays(FROWNING, 3.5, 215, 205, 104), _stays(MAN, 3.5, 420, 200, 100))),
            Shot(TABLE, 1.5, ()),
            Shot(GARAGE, 3.5, (_stays(SURPRISED, 3.5, 330, 200, 120),)),
        ),
    }
)
"""Every scenario by name: its shots, one after another."""
