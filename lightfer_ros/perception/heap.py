"""Where the process's memory lies, on Linux: on huge pages where it is read all over; kept when it is freed.

Both only cost or save time. Where the system lacks them (another libc, an older kernel), nothing happens.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import Callable, Iterator, List, Optional, Tuple

HUGE_PAGE = 2 << 20

MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
"""Linux's numbers: huge pages whenever the kernel gets to it, and (since 6.1) at once."""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's numbers, from malloc.h."""

KEPT = 32 << 20
"""Bytes: the most that glibc's M_MMAP_THRESHOLD takes; five raw pictures of 1920×1080."""

_Span = Tuple[int, int]


def keep_freed_memory() -> bool:
    """Keep what is freed for the next picture; says whether the system's allocator can be told so.

    By itself glibc maps every block of 128 KiB and more anew, and the kernel clears each of its pages when
    it is touched first: of a raw picture on its way through ROS that is done several times over.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, KEPT)) and bool(mallopt(M_TRIM_THRESHOLD, 2 * KEPT))


@contextlib.contextmanager
def on_huge_pages() -> Iterator[None]:
    """Lay the memory that the with-block takes, and keeps, on huge pages, as far as it fills them.

    For what is large and read all over: the processor remembers where some thousand pages are, which is
    little of it at 4 KiB each, and much at 2 MiB.
    """
    before = _writable()
    yield
    madvise = _madvise()
    if madvise is None:
        return
    for start, end in _without(_writable(), before):
        start, end = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
        if start < end and madvise(start, end - start, MADV_HUGEPAGE) == 0:
            madvise(start, end - start, MADV_COLLAPSE)


def _madvise() -> Optional[Callable[[int, int, int], int]]:
    if sys.platform != "linux":
        return None
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = (ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int)
    return madvise


def _writable() -> List[_Span]:
    """Start and end of the process's anonymous memory that can be written to, ascending."""
    spans: List[_Span] = []
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            place, rights, _, _, inode, *name = line.split(maxsplit=5)
            if rights == "rw-p" and inode == "0" and (not name or name[0].strip() == "[heap]"):
                start, end = place.split("-")
                spans.append((int(start, 16), int(end, 16)))
    return spans


def _without(spans: List[_Span], others: List[_Span]) -> List[_Span]:
    """What of ascending spans lies in none of the others, which are ascending too."""
    left: List[_Span] = []
    for start, end in spans:
        for other_start, other_end in others:
            if other_end > start and other_start < end:
                if other_start > start:
                    left.append((start, other_start))
                start = max(start, other_end)
        if start < end:
            left.append((start, end))
    return left
