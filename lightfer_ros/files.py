"""Files appear whole or not at all: written to a neighbour first, then renamed into place."""

from __future__ import annotations

import contextlib
import glob
import os
import time
from pathlib import Path
from typing import Callable

from lightfer_ros.errors import LightferError

ABANDONED_S = 600.0
"""A neighbour that has not grown for so long is of a process that was killed."""


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as `write_by` does."""
    write_by(path, lambda partial: partial.write_bytes(content))


def write_by(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a neighbour of `path`, which has its suffix, then rename it into place.

    Whatever goes wrong, `path` keeps its old content and nothing is left beside it; what a killed process
    left there goes with a later writing. Raises LightferError naming the path when the disk is full or the
    folder cannot be written.
    """
    _tidy(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        write(partial)
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # some libraries report a full disk as RuntimeError
        why = getattr(error, "strerror", None) or error
        raise LightferError(f"cannot write {path}: {why}; nothing was changed") from error
    finally:
        if partial.exists():
            partial.unlink()


def _tidy(path: Path) -> None:
    """Remove neighbours that nobody writes any more."""
    for left in path.parent.glob(f".{glob.escape(path.stem)}.*.partial{path.suffix}"):
        with contextlib.suppress(OSError):  # somebody else was quicker
            if time.time() - left.stat().st_mtime > ABANDONED_S:
                left.unlink()
