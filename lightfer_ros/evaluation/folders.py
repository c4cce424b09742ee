"""Read a folder or a zip that has one folder of pictures per class, in any size, grey or colour."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.faces import LabelledPicture
from lightfer_ros.model import EMOTIONS

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")

CLASS_NAMES: Dict[str, str] = {
    **{name: name for name in EMOTIONS},
    **{str(i): name for i, name in enumerate(EMOTIONS)},
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}
"""Folder names that are understood, in any case: our own, FER2013's numbers, and the usual variants."""


def pictures_in_folder(path: Path, split: Optional[str] = None) -> Iterator[LabelledPicture]:
    """The pictures below `path`/`split`/<class>/ at their own size; see `readers.read_pictures`."""
    root = path / split if split else path
    if not root.is_dir():
        have = ", ".join(sorted(p.name for p in path.iterdir() if p.is_dir())) or "no folders"
        raise DataError(f"{path}: no folder {split!r}; it has {have}")
    files = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
    folders = [p.name for p in root.iterdir() if p.is_dir()]
    for name, label in _sorted_pictures(str(root), files, folders):
        yield LabelledPicture(name, label, _decode((root / name).read_bytes(), f"{root}/{name}"))


def pictures_in_zip(path: Path, split: Optional[str] = None) -> Iterator[LabelledPicture]:
    """The pictures in a zip with a folder per class; see `readers.read_pictures`."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            top = _common_top(names, split)
            files = [name[len(top) :] for name in names if name.startswith(top)]
            folders = sorted({PurePosixPath(f).parts[0] for f in files if "/" in f})
            where = f"{path}:{top}"
            for name, label in _sorted_pictures(where, files, folders):
                yield LabelledPicture(name, label, _decode(archive.read(top + name), f"{where}/{name}"))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
        raise DataError(f"{path}: not a zip, truncated or corrupt ({error})") from None


def _common_top(names: Sequence[str], split: Optional[str]) -> str:
    """The folder in an archive that holds the class folders; many are packed with one more around them."""
    top = ""
    while True:
        inside = [name[len(top) :] for name in names if name.startswith(top)]
        heads = {name.split("/", 1)[0] for name in inside if "/" in name}
        if split is not None and split in heads:
            return f"{top}{split}/"
        if len(heads) != 1 or (split is None and next(iter(heads)).lower() in CLASS_NAMES):
            break
        top += f"{next(iter(heads))}/"
    if split is not None:
        raise DataError(f"no folder {split!r} in the archive; it has {', '.join(sorted(heads)) or 'none'}")
    return top


def _sorted_pictures(where: str, files: Sequence[str], folders: Sequence[str]) -> List[Tuple[str, int]]:
    classes = {name: CLASS_NAMES.get(name.lower()) for name in folders}
    known = sorted(name for name, emotion in classes.items() if emotion)
    unknown = sorted(
        name for name, emotion in classes.items() if not emotion and not name.startswith((".", "__"))
    )
    if not known or unknown:
        raise DataError(
            f"{where}: folders {', '.join(unknown) or '(none)'} are no classes; "
            f"expected some of {', '.join(EMOTIONS)}"
        )
    found: List[Tuple[str, int]] = []
    for name in sorted(files):
        folder = PurePosixPath(name).parts[0]
        if folder in known and "/" in name and not PurePosixPath(name).name.startswith("."):
            if not name.lower().endswith(ENDINGS):
                raise DataError(f"{where}/{name}: not a picture; expected {', '.join(ENDINGS)}")
            found.append((name, EMOTIONS.index(str(classes[folder]))))
    for folder in known:
        if not any(name.startswith(folder + "/") for name, _ in found):
            raise DataError(f"{where}/{folder}: class folder without a picture; remove it or fill it")
    return found


def _decode(data: bytes, where: str) -> np.ndarray:
    import cv2

    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if picture is None:
        raise DataError(f"{where}: cannot be read as a picture, truncated or corrupt")
    return np.asarray(picture)
