"""Read a folder or a zip that has one folder of pictures per class, in any size, grey or colour."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Callable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from lightfer_ros.errors import DataError
from lightfer_ros.evaluation.class_names import expression_named
from lightfer_ros.evaluation.faces import LabelledPicture
from lightfer_ros.model import EMOTIONS

ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
LITTER = ("__macosx", "thumbs.db", "desktop.ini")
"""What desktops leave in folders; so is everything that begins with a dot. Never a picture."""

DEEPEST = 4
"""Class folders are looked for in so many levels: data sets are often packed with folders around them."""


def pictures_in_folder(path: Path, split: Optional[str] = None) -> Iterator[LabelledPicture]:
    """The pictures below the class folders in `path` at their own size; see `readers.read_pictures`."""
    names: List[str] = []
    for above, folders, files in os.walk(path, followlinks=True):
        base = Path(above).relative_to(path)
        names += [f"{(base / name).as_posix()}/" for name in folders]
        names += [(base / name).as_posix() for name in files]
    yield from _pictures(str(path), names, split, lambda name: (path / name).read_bytes())


def pictures_in_zip(path: Path, split: Optional[str] = None) -> Iterator[LabelledPicture]:
    """The pictures in a zip with a folder per class; see `readers.read_pictures`."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _pictures(str(path), archive.namelist(), split, archive.read)
    # RuntimeError: a password is asked for
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
        raise DataError(f"{path}: not a zip, truncated or corrupt ({error})") from None


def _pictures(
    where: str, names: Sequence[str], split: Optional[str], read: Callable[[str], bytes]
) -> Iterator[LabelledPicture]:
    """names: all files, and folders with a slash behind, below `where`."""
    names = sorted(name for name in names if not _is_litter(name))
    if split is not None:
        names = _in_split(where, names, split)
    depth = _class_level(where, names)
    _refuse_empty_folders(where, names, depth)
    for name in names:
        if name.endswith("/"):
            continue
        if not name.lower().endswith(ENDINGS):
            if depth < len(_folders(name)):
                raise DataError(f"{where}/{name}: not a picture; expected {', '.join(ENDINGS)}")
            continue  # a licence or a list beside the class folders
        if depth >= len(_folders(name)):
            raise DataError(f"{where}/{name}: a picture outside the class folders, so of no class")
        label = EMOTIONS.index(str(expression_named(_folders(name)[depth])))
        yield LabelledPicture(name, label, _decode(read(name), f"{where}/{name}"))


def _folders(name: str) -> Tuple[str, ...]:
    """The folders above a file, or the folder itself, outermost first."""
    parts = PurePosixPath(name).parts
    return parts if name.endswith("/") else parts[:-1]


def _is_litter(name: str) -> bool:
    return any(part.startswith(".") or part.lower() in LITTER for part in PurePosixPath(name).parts)


def _in_split(where: str, names: Sequence[str], split: str) -> List[str]:
    inside = [name for name in names if split in _folders(name) and name.rstrip("/").split("/")[-1] != split]
    if not inside:
        have = sorted({part for name in names for part in _folders(name) if not expression_named(part)})
        raise DataError(
            f"{where}: no folder {split!r}, which is to hold the class folders; it has "
            f"{', '.join(have) or 'none but those of classes'}"
        )
    return inside


def _class_level(where: str, names: Sequence[str]) -> int:
    """How many folders lie around the class folders: 0 where they lie at the top.

    The level whose folders are all classes; of several, the one with words, since numbers may be anything,
    and of those the one with most classes.
    """
    levels: List[Tuple[bool, int, int]] = []
    for depth in range(DEEPEST):
        found = sorted({_folders(name)[depth] for name in names if len(_folders(name)) > depth})
        meant = {name: expression_named(name) for name in found}
        unknown = [name for name, expression in meant.items() if expression is None]
        if found and not unknown:
            levels.append((all(name.isdigit() for name in found), -len(set(meant.values())), depth))
        elif len(unknown) < len(found) and not levels:
            raise DataError(
                f"{where}: folders {', '.join(unknown)} are no classes; "
                f"expected some of {', '.join(EMOTIONS)}"
            )
    if not levels:
        tops = sorted({_folders(name)[0] for name in names if _folders(name)})
        raise DataError(
            f"{where}: folders {', '.join(tops) or '(none)'} are no classes and hold none; "
            f"expected a folder each for some of {', '.join(EMOTIONS)}"
        )
    return min(levels)[2]


def _refuse_empty_folders(where: str, names: Sequence[str], depth: int) -> None:
    folders = {_folders(name)[: depth + 1] for name in names if len(_folders(name)) > depth}
    filled = {_folders(name)[: depth + 1] for name in names if name.lower().endswith(ENDINGS)}
    for folder in sorted(folders - filled):
        raise DataError(f"{where}/{'/'.join(folder)}: class folder without a picture; remove it or fill it")


def _decode(data: bytes, where: str) -> np.ndarray:
    """uint8 [h, w]: grey, upright as its EXIF entry says."""
    import cv2

    picture = None
    with contextlib.suppress(cv2.error):  # for some files it raises, for others it returns nothing
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise DataError(f"{where}: cannot be read as a picture, truncated or corrupt")
    return np.asarray(picture)
