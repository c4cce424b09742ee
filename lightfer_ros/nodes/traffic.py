"""What became of a camera's images on the way: how many were published, seen, lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Deque, Optional, Tuple

MOST_STAMPS = 1000
"""So many camera_infos without an image are remembered: half a minute at 30 Hz."""


@dataclass(frozen=True)
class Flow:
    """Numbers of images, or images a second. Some published ones are not seen; some of those are lost."""

    published: float = 0
    seen: float = 0
    lost: float = 0


class Traffic:
    """Counts a topic's images. All rates are over one and the same window, so that they can be compared."""

    def __init__(self, window_s: float = 5.0) -> None:
        self._window_s = window_s
        self._marks: Deque[Tuple[float, Flow]] = deque()
        self.seen = 0
        self.missed = 0
        self.lost = 0

    @property
    def published(self) -> int:
        """Images that were published, as far as it is known here.

        A loss is told by the middleware and shows as a gap in the numbers; which of them comes first varies.
        """
        return self.seen + max(self.missed, self.lost)

    @property
    def overwritten(self) -> int:
        """Images that arrived and were replaced by a newer one before this process could take them."""
        return max(0, self.missed - self.lost)

    def see(self, now: float, missed: int = 0) -> None:
        """Count an image that came at `now`, seconds, and those missed between it and the one before."""
        if self._marks and now < self._marks[-1][0]:
            self._marks.clear()  # the clock jumped back
        self.seen += 1
        self.missed += missed
        self._marks.append((now, self._totals()))

    def lose(self, count: int) -> None:
        """Count images that the middleware says were lost."""
        self.lost += count

    def per_second(self, now: float) -> Flow:
        """The rates since the first image of the window before `now`; it opens the count and is not in it."""
        while self._marks and not 0.0 <= now - self._marks[0][0] <= self._window_s:
            self._marks.popleft()
        if not self._marks or now == self._marks[0][0]:
            return Flow()
        start, before = self._marks[0]
        published, seen = self.published - before.published, self.seen - before.seen
        # Whose gap closed before the window may be told of as lost within it.
        lost = min(self.lost - before.lost, published - seen)
        return Flow(published / (now - start), seen / (now - start), lost / (now - start))

    def _totals(self) -> Flow:
        return Flow(self.published, self.seen, self.lost)


class InfoStamps:
    """Finds missing images by the camera_infos that were published beside them.

    They are small and arrive where images are lost. Infos that do not bear the images' stamps tell nothing.
    """

    def __init__(self) -> None:
        self._infos: Deque[float] = deque(maxlen=MOST_STAMPS)
        self._image: Optional[float] = None
        self._belong = False

    def info(self, stamp: float) -> None:
        """A camera_info has come with this stamp, seconds."""
        self._belong |= stamp == self._image
        self._infos.append(stamp)

    def image(self, stamp: float) -> int:
        """An image has come; returns how many are missing between it and the one before."""
        self._belong |= stamp in self._infos
        before, self._image = self._image, stamp
        if before is None or stamp < before:  # the first, or a bag that was looped
            self._infos.clear()
            return 0
        missing = sum(before < info < stamp for info in self._infos)
        while self._infos and self._infos[0] <= stamp:
            self._infos.popleft()
        return missing if self._belong else 0
