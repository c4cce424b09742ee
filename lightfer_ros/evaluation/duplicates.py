"""Which faces of a data set stand, pixel for pixel, in the training data too: a small index of hashes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Iterable, List, Optional, Sequence

import numpy as np

from lightfer_ros.errors import DataError, LightferError
from lightfer_ros.files import write_whole

MAGIC = b"LFERDUP1"
BYTES_EACH = 8
"""1,600 pictures that are none of 28,000 faces meet one by chance once in 4 · 10^11 times."""


def write_index(path: Path, hashes: Iterable[str]) -> int:
    """Write hashes as `faces.pixel_hash` gives them, each once, whole or not at all; returns how many.

    Nothing of a picture can be had back from its 8 bytes.
    """
    distinct = sorted({bytes.fromhex(text) for text in hashes})
    write_whole(path, MAGIC + b"".join(distinct))
    return len(distinct)


def duplicates(hashes: Sequence[str], path: Path) -> np.ndarray:
    """Mask bool [n] of the hashes that the index at `path` knows.

    Raises DataError when the index is missing or torn.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected the index of training faces")
    data = path.read_bytes()
    body = data[len(MAGIC) :]
    if not data.startswith(MAGIC) or len(body) % BYTES_EACH:
        raise DataError(f"{path}: not an index of training faces, or truncated")
    known = {body[i : i + BYTES_EACH] for i in range(0, len(body), BYTES_EACH)}
    return np.array([bytes.fromhex(text) in known for text in hashes], bool)


def main(argv: Optional[List[str]] = None) -> int:
    """`python -m lightfer_ros.evaluation.duplicates`: index a data set; 2 with one line on a known error."""
    from lightfer_ros.evaluation.readers import read_faces

    parser = argparse.ArgumentParser(description="Write the index of a training set's faces.")
    parser.add_argument("--data", type=Path, required=True, help="as for `lightfer evaluate`")
    parser.add_argument("--split", default="Training", help="default %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the index to write")
    arguments = parser.parse_args(argv)
    try:
        count = write_index(arguments.out, read_faces(arguments.data, arguments.split).hashes)
    except LightferError as error:
        print(f"duplicates: {error}", file=sys.stderr)
        return 2
    print(f"{arguments.out}: {count} faces, {arguments.out.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
