"""Which faces of a data set stand, pixel for pixel, in the training data too: a small index of hashes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.faces import pixel_hashes

MAGIC = b"LFERDUP1"
BYTES_EACH = 8


def write_index(path: Path, images: np.ndarray) -> int:
    """Write the hashes of uint8 faces [n, s, s], each once, whole or not at all; returns how many.

    Nothing of a picture can be had back from its 8 bytes.
    """
    hashes = sorted({bytes.fromhex(text) for text in pixel_hashes(images)})
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(MAGIC + b"".join(hashes))
    os.replace(partial, path)
    return len(hashes)


def duplicates(images: np.ndarray, path: Path) -> np.ndarray:
    """Mask bool [n] of the faces uint8 [n, s, s] that the index at `path` knows.

    Raises DataError when the index is missing or torn.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected the index of training faces")
    data = path.read_bytes()
    body = data[len(MAGIC) :]
    if not data.startswith(MAGIC) or len(body) % BYTES_EACH:
        raise DataError(f"{path}: not an index of training faces, or truncated")
    known = {body[i : i + BYTES_EACH] for i in range(0, len(body), BYTES_EACH)}
    return np.array([bytes.fromhex(text) in known for text in pixel_hashes(images)], bool)
