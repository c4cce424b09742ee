"""Files appear whole or not at all: written to a neighbour first, then renamed into place."""

from __future__ import annotations

import os
from pathlib import Path

from lightfer_ros.errors import LightferError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; whatever goes wrong, `path` keeps its old content and nothing is left beside it.

    Raises LightferError naming the path when the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        raise LightferError(f"cannot write {path}: {error.strerror or error}; nothing was changed") from None
    finally:
        if partial.exists():
            partial.unlink()
