"""The sample camera's video: composed once from public clips and a photo, cut by cut.

Several people at once, nobody, one person from sad to laughing, nobody, a face lost for a moment and found
again, nobody.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import cv2
import numpy as np

from lightfer_ros.errors import ImageError
from lightfer_ros.model.metadata import metadata_path

WIDTH, HEIGHT, RATE = 640, 480, 30

Window = Tuple[float, float, float]
"""What of a source picture is shown: left, top, width in its pixels; 4:3, so that nothing is stretched."""


@dataclass(frozen=True)
class Shot:
    """A stretch of one source: `seconds` from `start_s` on; the window glides from `first` to `last`."""

    part: str
    source: str
    seconds: float
    first: Window
    last: Window
    start_s: float = 0.0


SHOTS: Tuple[Shot, ...] = (
    Shot("several people", "photo_multi_face", 5.0, (190, 30, 620), (100, 0, 760)),
    Shot("several people", "photo_multi_face", 5.0, (100, 0, 760), (250, 120, 580)),
    Shot("nobody", "photo_no_face", 3.0, (100, 0, 1400), (400, 30, 1400)),
    Shot("one person, sad to laughing", "clip_expression", 19.6, (160, 0, 480), (160, 0, 480)),
    Shot("nobody", "clip_nobody", 1.5, (120, 0, 720), (120, 0, 720)),
    Shot("a face lost and found", "clip_smile", 2.3, (60, 0, 480), (60, 0, 480)),
    Shot("a face lost and found", "clip_nobody", 0.6, (120, 0, 720), (120, 0, 720)),
    Shot("a face lost and found", "clip_appears", 2.4, (90, 0, 720), (90, 0, 720), start_s=3.85),
    Shot("nobody", "clip_disappears", 3.2, (120, 0, 720), (120, 0, 720), start_s=3.0),
)


def make(sources: Mapping[str, Path], target: Path) -> None:
    """Compose the video `target`, 640×480 at 30 frames a second, and its record `<target>.json`.

    sources: where each asset of `SHOTS` lies. The record has the video's sha256 and size, and each part with
    its start and end in seconds. Raises ImageError naming a source that cannot be read.
    """
    partial = target.with_name("partial-" + target.name)
    writer = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*"mp4v"), RATE, (WIDTH, HEIGHT))
    if not writer.isOpened():
        raise ImageError(f"{target} cannot be written: this OpenCV has no MPEG-4 encoder")
    try:
        for shot in SHOTS:
            for frame in _frames(shot, sources[shot.source]):
                writer.write(frame)
    finally:
        writer.release()
    record = {**_recipe(), "sha256": hashlib.sha256(partial.read_bytes()).hexdigest()}
    record["size"] = partial.stat().st_size
    beside = metadata_path(target)
    partial_record = beside.with_name("partial-" + beside.name)
    partial_record.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    os.replace(partial, target)
    os.replace(partial_record, beside)


def is_current(path: Path) -> bool:
    """Whether a video that `make` made earlier is what it would make today, by its record."""
    try:
        record = json.loads(metadata_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {**record, **_recipe()} == record


def _recipe() -> Dict[str, Any]:
    """Everything that decides how the video looks, and its parts in time."""
    parts: List[Dict[str, Any]] = []
    frame = 0
    for shot in SHOTS:
        start, frame = frame, frame + _count(shot)
        if parts and parts[-1]["name"] == shot.part:
            parts[-1]["end"] = frame / RATE
        else:
            parts.append({"name": shot.part, "start": start / RATE, "end": frame / RATE})
    shots = json.loads(json.dumps([dataclasses.asdict(shot) for shot in SHOTS]))
    return {"width": WIDTH, "height": HEIGHT, "rate": RATE, "frames": frame, "parts": parts, "shots": shots}


def _count(shot: Shot) -> int:
    return round(shot.seconds * RATE)


def _frames(shot: Shot, path: Path) -> Iterator[np.ndarray]:
    """The shot's frames, uint8 [480, 640, 3] BGR."""
    count = _count(shot)
    for index, picture in enumerate(_pictures(shot, path, count)):
        progress = index / max(count - 1, 1)
        eased = progress * progress * (3 - 2 * progress)  # starts and ends softly, as a hand pans
        left, top, width = (a + (b - a) * eased for a, b in zip(shot.first, shot.last))
        scale = WIDTH / width
        yield cv2.warpAffine(
            picture,
            np.array([[scale, 0, -left * scale], [0, scale, -top * scale]]),
            (WIDTH, HEIGHT),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _pictures(shot: Shot, path: Path, count: int) -> Iterator[np.ndarray]:
    """`count` pictures of the source at 30 a second, each the newest that a viewer would see then."""
    still = cv2.imread(str(path)) if path.suffix == ".jpg" else None
    if still is not None:
        for _ in range(count):
            yield still
        return
    video = cv2.VideoCapture(str(path))
    try:
        rate = video.get(cv2.CAP_PROP_FPS)
        picture: Optional[np.ndarray] = None
        taken = 0
        for index in range(count):
            due = int((shot.start_s + index / RATE) * rate) + 1 if rate > 0 else 1
            while taken < due:
                ok, newer = video.read()
                if not ok:
                    break
                picture, taken = newer, taken + 1
            if picture is None:
                raise ImageError(f"{path} cannot be read as a picture or a video")
            yield picture
    finally:
        video.release()
