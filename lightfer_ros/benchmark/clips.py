"""Real clips with truth made by hand: where the one face is, in the sample's clips.

In every eighth or twelfth frame, and beside each cut, a box was proposed by YuNet at full size and judged by
eye; in between it moves evenly. So the truth is kind to YuNet by a few pixels, which IoU 0.5 does not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lightfer_ros.benchmark.truth import TrackedBoxes, Truth

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Clip:
    """fps and frames: as decoded. keyframes: frame → x1, y1, x2, y2; before the first and after the last
    nobody is there."""

    fps: float
    frames: int
    keyframes: Mapping[int, Box]

    def truth(self) -> Truth:
        """Where the face is in every frame; its id is 1."""
        if not self.keyframes:
            return Truth(self.fps, (TrackedBoxes.none(),) * self.frames)
        at = np.array(list(self.keyframes))
        boxes = np.array(list(self.keyframes.values()), np.float64)
        between = np.stack([np.interp(np.arange(self.frames), at, side) for side in boxes.T], axis=1)
        seen = [at[0] <= frame <= at[-1] for frame in range(self.frames)]
        return Truth(
            self.fps,
            tuple(
                TrackedBoxes(np.array([1]), box[None]) if there else TrackedBoxes.none()
                for there, box in zip(seen, between, strict=True)
            ),
        )


# fmt: off
CLIPS: Mapping[str, Clip] = MappingProxyType({
    "clip_expression": Clip(
        23.976, 472,
        MappingProxyType({
            0: (308, 92, 557, 341), 12: (317, 98, 561, 342), 24: (326, 94, 569, 337),
            36: (358, 116, 592, 350), 48: (326, 83, 561, 319), 60: (317, 87, 555, 325),
            72: (301, 110, 537, 345), 84: (304, 113, 552, 361), 96: (316, 118, 564, 367),
            108: (318, 118, 563, 363), 120: (329, 122, 572, 364), 132: (339, 121, 570, 352),
            144: (320, 86, 577, 343), 156: (324, 70, 562, 308), 168: (305, 66, 558, 320),
            180: (320, 68, 568, 316), 192: (323, 67, 571, 315), 204: (322, 68, 570, 316),
            216: (320, 70, 570, 320), 228: (325, 70, 562, 307), 240: (324, 71, 564, 311),
            252: (325, 68, 569, 312), 264: (319, 69, 564, 314), 276: (315, 65, 564, 314),
            288: (320, 67, 566, 313), 300: (310, 56, 570, 317), 312: (320, 49, 587, 316),
            324: (314, 71, 578, 335), 336: (323, 74, 586, 337), 348: (335, 77, 595, 337),
            360: (341, 80, 593, 332), 372: (342, 85, 596, 339), 384: (345, 85, 597, 336),
            396: (326, 81, 572, 327), 408: (301, 88, 560, 347), 420: (297, 87, 552, 342),
            432: (294, 85, 547, 339), 444: (316, 96, 567, 347), 456: (347, 112, 596, 361),
            468: (349, 106, 596, 352), 471: (349, 108, 586, 345),
        }),
    ),
    "clip_smile": Clip(
        30.0, 72,
        MappingProxyType({
            0: (209, 119, 381, 291), 8: (202, 113, 378, 289), 16: (203, 113, 379, 289),
            24: (203, 108, 383, 288), 32: (202, 108, 383, 288), 40: (204, 107, 383, 286),
            48: (204, 104, 381, 281), 56: (205, 105, 383, 282), 64: (206, 105, 383, 282),
            71: (208, 111, 382, 284),
        }),
    ),
    "clip_appears": Clip(
        26.495, 169,
        MappingProxyType({
            96: (316, 178, 577, 439), 104: (306, 177, 568, 440), 112: (307, 176, 568, 437),
            120: (305, 166, 571, 433), 128: (305, 167, 571, 432), 136: (302, 162, 570, 430),
            144: (302, 155, 572, 425), 152: (304, 155, 574, 426), 160: (304, 155, 575, 426),
            167: (312, 166, 573, 430),
        }),
    ),
    "clip_disappears": Clip(
        26.398, 169,
        MappingProxyType({
            0: (317, 178, 577, 438), 8: (304, 177, 567, 441), 16: (308, 176, 568, 436),
            24: (305, 167, 572, 434), 32: (305, 166, 571, 433), 40: (303, 161, 571, 430),
            48: (302, 155, 573, 426), 56: (303, 155, 575, 426), 64: (304, 154, 576, 426),
            71: (312, 166, 573, 430),
        }),
    ),
    "clip_nobody": Clip(
        23.672, 95,
        MappingProxyType({}),
    ),
})
# fmt: on
"""The clips by the name of their file in the manifest: a hand before a face, a smile, one who comes, one who
goes, nobody."""
