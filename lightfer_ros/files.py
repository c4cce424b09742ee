"""Files appear whole or not at all: written to a neighbour first, then renamed into place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

from lightfer_ros.errors import LightferError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file as `write_by` does."""
    write_by(path, lambda partial: partial.write_bytes(content))


def write_by(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a neighbour of `path`, which has its suffix, then rename it into place.

    Whatever goes wrong, `path` keeps its old content and nothing is left beside it. Raises LightferError
    naming the path when the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        write(partial)
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        why = getattr(error, "strerror", None) or error
        raise LightferError(f"cannot write {path}: {why}; nothing was changed") from error
    finally:
        if partial.exists():
            partial.unlink()
