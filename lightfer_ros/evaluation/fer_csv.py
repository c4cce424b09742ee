"""Read FER2013 from Kaggle's own CSV, plain or compressed, strictly: a bad row is named, never skipped."""

from __future__ import annotations

import csv
import gzip
import lzma
import zlib
from pathlib import Path
from typing import IO, Iterator, List, Optional, Tuple

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.faces import FaceSet, pixel_hashes, to_grey_square
from lightfer_ros.model import EMOTIONS

SIDE = 48
COLUMNS = ("emotion", "pixels", "Usage")
ENCODING = "utf-8-sig"  # spreadsheets put a mark before the first column's name


def read_fer_csv(path: Path, split: Optional[str] = None, size: int = SIDE) -> FaceSet:
    """The faces of a FER2013 CSV (`.csv`, `.csv.xz`, `.csv.gz`).

    split: "Training", "PublicTest" or "PrivateTest"; None takes every row. size: pixels to
    enlarge or shrink the 48 x 48 faces to. Raises DataError naming the file and the line (header = 1) for a
    missing column, a label outside 0 to 6, other than 2,304 pixels, a pixel outside 0 to 255, a truncated
    archive, or a split without rows.
    """
    pixels: List[bytes] = []
    labels: List[int] = []
    rows: List[int] = []
    usages = set()
    for row, (label, raw, usage) in enumerate(_rows(path)):
        usages.add(usage)
        if split is not None and usage != split:
            continue
        where = f"{path}, line {row + 2}"
        labels.append(_label(label, where))
        pixels.append(_pixels(raw, where))
        rows.append(row)
    if not rows:
        have = ", ".join(sorted(usages)) or "no rows at all"
        raise DataError(f"{path}: no row with Usage {split!r}; the file has {have}")
    images = np.frombuffer(b"".join(pixels), np.uint8).reshape(-1, SIDE, SIDE)
    hashes = tuple(pixel_hashes(images))
    if size != SIDE:
        images = np.stack([to_grey_square(image, size) for image in images])
    names = tuple(f"{path.name}:{row + 2}" for row in rows)
    return FaceSet(images, np.array(labels, np.int64), names, np.array(rows, np.int64), hashes)


def _rows(path: Path) -> Iterator[Tuple[str, str, str]]:
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected FER2013's CSV (.csv, .csv.xz or .csv.gz)")
    line = 1
    try:
        with _open(path) as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise DataError(
                    f"{path}, line 1: column {', '.join(missing)} is missing; expected {','.join(COLUMNS)}"
                )
            e, p, u = (header.index(name) for name in COLUMNS)
            for line, row in enumerate(reader, 2):
                if len(row) != len(header):
                    raise DataError(f"{path}, line {line}: {len(row)} fields, expected {len(header)}")
                yield row[e], row[p], row[u].strip()
    except (EOFError, lzma.LZMAError, zlib.error, OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read past line {line}, truncated or corrupt ({error})") from None


def _open(path: Path) -> IO[str]:
    if path.suffix.lower() == ".xz":
        return lzma.open(path, "rt", encoding=ENCODING, newline="")
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=ENCODING, newline="")
    return path.open("r", encoding=ENCODING, newline="")


def _label(text: str, where: str) -> int:
    try:
        label = int(text)
    except ValueError:
        label = -1
    if not 0 <= label < len(EMOTIONS):
        raise DataError(
            f"{where}: emotion is {text!r}, expected a whole number from 0 to {len(EMOTIONS) - 1}"
        )
    return label


def _pixels(text: str, where: str) -> bytes:
    try:
        values = bytes(map(int, text.split()))
    except ValueError:
        raise DataError(f"{where}: a pixel is not a whole number from 0 to 255") from None
    if len(values) != SIDE * SIDE:
        raise DataError(f"{where}: {len(values)} pixels, expected {SIDE * SIDE} ({SIDE} x {SIDE})")
    return values
