"""Write files whole or not at all: to a neighbour first, then renamed into place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lightfer_ros.errors import LightferError


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary neighbour of `path`, then rename it there.

    Whatever goes wrong, `path` keeps its old content and the neighbour is removed. Raises LightferError
    naming the path when the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        raise LightferError(f"cannot write {path}: {error}; nothing was changed") from error
    finally:
        if partial.exists():
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """UTF-8 text, whole or not at all."""
    write_whole(path, lambda partial: _text(partial, text))


def _text(partial: Path, text: str) -> None:
    partial.write_text(text, encoding="utf-8")
