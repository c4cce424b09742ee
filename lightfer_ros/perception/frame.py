"""One picture, grey and in colour; each is made once, when it is first asked for."""

from __future__ import annotations

from typing import Callable, Optional, Tuple

import cv2
import numpy as np

from lightfer_ros.errors import ImageError

MAX_PIXELS = 50_000_000
"""Larger pictures are refused: a single one would fill a small robot's memory."""


class Frame:
    """One picture as the detector (grey) and the overlay (colour) want it.

    `width` and `height` are in pixels. The arrays may be the camera's own buffer: they are read-only, so that
    nothing can be drawn into it. `grey` is C-contiguous, because dlib 20's detector misreads rows that lie
    apart (a region of it must be copied as well before dlib sees it); the rows of `bgr` may be padded.
    `full_size` is width and height of what the camera sent, of which this is `reduction` times smaller.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        bgr: Optional[Callable[[], np.ndarray]] = None,
        grey: Optional[Callable[[], np.ndarray]] = None,
        reduction: int = 1,
        full_size: Optional[Tuple[int, int]] = None,
    ) -> None:
        """`bgr` and `grey` make the two arrays, each at most once; one left out is made from the other.

        Raises ImageError when a picture has no pixels, or MAX_PIXELS and more.
        """
        check_size(width, height)
        self.width = width
        self.height = height
        self.reduction = reduction
        self.full_size = full_size or (width, height)
        # Not closures over self: such a cycle keeps dozens of pictures alive until Python's collector runs.
        self._make_bgr = bgr
        self._make_grey = grey
        self._bgr: Optional[np.ndarray] = None
        self._grey: Optional[np.ndarray] = None

    @classmethod
    def from_array(cls, array: np.ndarray) -> Frame:
        """A picture from uint8 [h, w] (grey) or uint8 [h, w, 3] (BGR), contiguous or a view.

        Copied only where OpenCV or dlib could not read it in place. Raises ImageError for anything else.
        """
        if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or not _is_picture(array.shape):
            raise ImageError(f"picture: given {_describe(array)}, expected uint8 [h, w] or [h, w, 3]")
        height, width = array.shape[:2]
        if array.ndim == 2:
            return cls(width, height, grey=lambda: array)
        return cls(width, height, bgr=lambda: array if _has_contiguous_rows(array) else array.copy())

    @property
    def bgr(self) -> np.ndarray:
        """uint8 [h, w, 3]: blue, green, red."""
        if self._bgr is None:
            make = self._make_bgr
            self._bgr = _read_only(make() if make else cv2.cvtColor(self.grey, cv2.COLOR_GRAY2BGR))
        return self._bgr

    @property
    def grey(self) -> np.ndarray:
        """uint8 [h, w], C-contiguous: luma, 0.299 R + 0.587 G + 0.114 B."""
        if self._grey is None:
            make = self._make_grey
            grey = make() if make else cv2.cvtColor(self.bgr, cv2.COLOR_BGR2GRAY)
            self._grey = _read_only(np.ascontiguousarray(grey))
        return self._grey


def check_size(width: int, height: int) -> None:
    """Raise ImageError when a picture has no pixels, or MAX_PIXELS and more."""
    if width <= 0 or height <= 0:
        raise ImageError(f"picture size is {width}x{height}, expected at least 1x1")
    if width * height >= MAX_PIXELS:
        raise ImageError(
            f"picture size is {width}x{height} ({width * height / 1e6:.1f} megapixels), "
            f"expected under {MAX_PIXELS // 1_000_000} megapixels"
        )


def _is_picture(shape: Tuple[int, ...]) -> bool:
    return len(shape) == 2 or (len(shape) == 3 and shape[2] == 3)


def _has_contiguous_rows(bgr: np.ndarray) -> bool:
    """Whether OpenCV can read it in place: rows apart by any distance, pixels side by side."""
    return bool(bgr.strides[1:] == (3, 1) and bgr.strides[0] >= 3 * bgr.shape[1])


def _read_only(array: np.ndarray) -> np.ndarray:
    view: np.ndarray = array.view()
    view.flags.writeable = False
    return view


def _describe(array: object) -> str:
    if isinstance(array, np.ndarray):
        return f"{array.dtype} {list(array.shape)}"
    return type(array).__name__
