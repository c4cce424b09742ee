"""Open any data set that LightFER can score or train on: FER2013's CSV, a folder or zip of class folders."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.faces import FaceSet
from lightfer_ros.evaluation.fer_csv import read_fer_csv
from lightfer_ros.evaluation.folders import read_folder, read_zip

CSV_ENDINGS = (".csv", ".csv.xz", ".csv.gz")


def read_faces(path: Path, split: Optional[str] = None, size: int = 48) -> FaceSet:
    """The faces at `path`, grey, `size` x `size` pixels; every one, or an error.

    A CSV (`.csv`, `.csv.xz`, `.csv.gz`) as Kaggle publishes FER2013, `split` being its Usage; or a folder
    or zip with a folder per class, `split` being a folder above them. Raises DataError naming the file,
    the row or picture, and what was expected.
    """
    if path.name.endswith(CSV_ENDINGS):
        return read_fer_csv(path, split, size)
    if path.is_dir():
        return read_folder(path, split, size)
    if path.suffix == ".zip":
        return read_zip(path, split, size)
    if not path.exists():
        raise DataError(f"{path} does not exist; expected a CSV, a folder or a zip with a folder per class")
    raise DataError(f"{path}: unknown kind of data set; expected {', '.join(CSV_ENDINGS)}, .zip or a folder")
