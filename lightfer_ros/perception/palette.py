"""One colour for each expression, the same in pictures, markers and plots.

Okabe and Ito's set, made to be told apart by colour-blind eyes (Color Universal Design, 2008); its blue is
lightened, since it is also drawn on dark ground.
"""

from __future__ import annotations

from typing import Tuple

Colour = Tuple[int, int, int]

COLOURS_BGR: Tuple[Colour, ...] = (
    (0, 94, 213),  # angry: vermillion
    (115, 158, 0),  # disgust: bluish green
    (167, 121, 204),  # fear: reddish purple
    (66, 228, 240),  # happy: yellow
    (214, 120, 30),  # sad: blue
    (0, 159, 230),  # surprise: orange
    (200, 200, 200),  # neutral: light grey
)
"""Blue, green, red of EMOTIONS[i], 0 to 255."""

UNSET_BGR: Colour = (160, 160, 160)
"""For a face whose expression is not known."""
