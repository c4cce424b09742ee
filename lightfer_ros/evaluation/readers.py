"""Open any data set that LightFER can score or train on: FER2013's CSV, a folder or zip of class folders."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.faces import Cut, FaceSet, LabelledPicture, gather
from lightfer_ros.evaluation.fer_csv import read_fer_csv
from lightfer_ros.evaluation.folders import pictures_in_folder, pictures_in_zip

CSV_ENDINGS = (".csv", ".csv.xz", ".csv.gz")


def is_csv(path: Path) -> bool:
    """Whether it is named as FER2013's CSV is, plain or compressed."""
    return path.name.lower().endswith(CSV_ENDINGS)


def split_name(path: Path, split: str) -> str:
    """As metadata names a data set: "fer2013/PublicTest"."""
    return f"{path.name.split('.')[0]}/{split}"


def without_copies(name: str) -> str:
    """How metadata names the faces of such a data set that stand in no training row."""
    return f"{name} without copies"


def read_faces(path: Path, split: Optional[str] = None, size: int = 48, cut: Optional[Cut] = None) -> FaceSet:
    """The faces at `path`, grey, `size` x `size` pixels; every one, or an error.

    A CSV (`.csv`, `.csv.xz`, `.csv.gz`) as Kaggle publishes FER2013, `split` being its Usage; or a folder
    or zip with a folder per class, `split` being a folder above them. cut: takes the face out of each
    picture; without it the middle square is taken. Raises DataError naming the file, the row or picture, and
    what was expected.
    """
    if cut is None and is_csv(path):
        return read_fer_csv(path, split, size)
    return gather(read_pictures(path, split), size, cut)


def read_pictures(path: Path, split: Optional[str] = None) -> Iterator[LabelledPicture]:
    """The same pictures one by one at their own size. Raises as `read_faces`."""
    if is_csv(path):
        faces = read_fer_csv(path, split)
        for i, name in enumerate(faces.names):
            yield LabelledPicture(name, int(faces.labels[i]), faces.images[i])
    elif path.is_dir():
        yield from pictures_in_folder(path, split)
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield from pictures_in_zip(path, split)
    elif not path.exists():
        raise DataError(f"{path} does not exist; expected a CSV, a folder or a zip with a folder per class")
    else:
        known = ", ".join(CSV_ENDINGS)
        raise DataError(f"{path}: unknown kind of data set; expected {known}, .zip or a folder")
