"""Pictures without a ROS driver: from a camera, a video, a folder, a GStreamer pipeline, the sample."""

from __future__ import annotations

import logging
import math
import os
import re
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Set, Tuple

import cv2
import numpy as np

from lightfer_ros.errors import ConfigurationError, ImageError, SourceError
from lightfer_ros.model import manifest
from lightfer_ros.perception.decode import decode_compressed
from lightfer_ros.perception.frame import Frame

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

PICTURES_PER_SECOND = 1.0
"""How fast a folder of pictures plays unless told otherwise: slow enough to look at."""

MOST_PER_SECOND = 1000.0

_log = logging.getLogger(__name__)


class TimedPicture(NamedTuple):
    """uint8 [h, w, 3], BGR, perhaps read-only; and its time in seconds from the start, growing over loops."""

    bgr: np.ndarray
    seconds: float


class FrameSource(ABC):
    """Pictures one after another, as fast as they are asked for: the caller paces, and reads in one thread.

    name: what it is, for messages. fps: nominal pictures per second. width, height: of the first picture, in
    pixels; later ones may differ. live: a device that paces itself, and whose times come from a clock.
    """

    live: bool

    def __init__(self, name: str, fps: float, first: Optional[np.ndarray]) -> None:
        """`first` proves that there are pictures. Raises SourceError where it is None."""
        if first is None:
            self.close()
            raise SourceError(f"{name}: no picture can be read from it")
        self.name = name
        self.fps = fps
        self.height, self.width = first.shape[:2]

    @abstractmethod
    def read(self) -> Optional[TimedPicture]:
        """The next picture, or None after the last. Raises SourceError when a device stops delivering."""

    @abstractmethod
    def close(self) -> None:
        """Release the device or file; may be called twice."""

    def __enter__(self) -> FrameSource:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_source(
    source: str,
    *,
    loop: bool = False,
    rate: float = 0.0,
    size: Optional[Tuple[int, int]] = None,
    clock: Callable[[], float] = time.monotonic,
) -> FrameSource:
    """Open a source of pictures by what a user would write.

    source: "sample" (the sample video), a camera ("0", "/dev/video0"), a video or picture file, a folder of
    pictures (played in the order of their names), or a GStreamer pipeline ("nvarguscamerasrc ! … ! appsink").
    loop: start again after the last picture. rate: pictures per second; 0 leaves a video or camera its own.
    size: (width, height) to ask a camera for. clock: seconds; the times of live sources are taken from it.

    Raises SourceError where there is nothing to read, ModelError when the sample has not been fetched, and
    ConfigurationError for a rate or size out of range.
    """
    if not (math.isfinite(rate) and 0.0 <= rate <= MOST_PER_SECOND):
        raise ConfigurationError(f"rate is {rate}, expected 0 to {MOST_PER_SECOND:g} pictures per second")
    if size is not None and not (1 <= size[0] <= 10_000 and 1 <= size[1] <= 10_000):
        raise ConfigurationError(f"size is {size[0]}x{size[1]}, expected 1x1 to 10000x10000 pixels")
    if "!" in source:
        return _Device(source, _open_pipeline(source), clock)
    if source.isdecimal() or source.startswith("/dev/"):
        device = f"/dev/video{int(source)}" if source.isdecimal() else source
        return _Device(device, _open_camera(device, rate, size), clock)
    path = manifest.find("sample") if source == "sample" else Path(source).expanduser()
    if source and path.is_dir():
        pictures = find_pictures(path)
        if not pictures:
            raise SourceError(f"folder {path} holds no pictures ({', '.join(PICTURE_SUFFIXES)})")
        return _Pictures(str(path), pictures, rate, loop)
    if not path.is_file():
        raise SourceError(
            f"{source!r} is no camera, file or folder; expected sample, a camera's number or /dev/video…, "
            "a video, a folder of pictures, or a GStreamer pipeline (with !)"
        )
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return _Pictures(str(path), [path], rate, loop)
    return _Video(path, rate, loop)


def find_pictures(folder: Path) -> List[Path]:
    """The picture files right in a folder, by name."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()]
    return sorted(found)


def read_picture(path: Path) -> Frame:
    """A photo, upright as its EXIF orientation says. Raises ImageError naming the file and what is wrong."""
    try:
        return decode_compressed(path.suffix[1:].lower(), path.read_bytes(), upright=True)
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from None


class _Playback(FrameSource):
    """What has a first picture, and a last one unless it starts again."""

    live = False

    def __init__(self, name: str, fps: float, loop: bool) -> None:
        self._loop = loop
        self._count = 0
        self._waiting = self._next()
        super().__init__(name, fps, self._waiting)

    def read(self) -> Optional[TimedPicture]:
        bgr, self._waiting = self._waiting, None
        if bgr is None:
            bgr = self._next()
        if bgr is None and self._loop:
            self._rewind()
            bgr = self._next()
        if bgr is None:
            return None
        self._count += 1
        return TimedPicture(bgr, (self._count - 1) / self.fps)

    @abstractmethod
    def _next(self) -> Optional[np.ndarray]:
        """uint8 [h, w, 3], BGR, or None after the last."""

    @abstractmethod
    def _rewind(self) -> None:
        """Start again from the first picture."""


class _Pictures(_Playback):
    def __init__(self, name: str, paths: List[Path], rate: float, loop: bool) -> None:
        self._paths = paths
        self._refused: Set[Path] = set()
        self._remaining = iter(paths)
        super().__init__(name, rate or PICTURES_PER_SECOND, loop)

    def close(self) -> None:
        self._remaining = iter([])

    def _next(self) -> Optional[np.ndarray]:
        for path in self._remaining:
            try:
                return read_picture(path).bgr
            except ImageError as error:
                if path not in self._refused:
                    self._refused.add(path)
                    _log.warning("picture left out: %s", error)
        return None

    def _rewind(self) -> None:
        self._remaining = iter(self._paths)


class _Video(_Playback):
    def __init__(self, path: Path, rate: float, loop: bool) -> None:
        self._path = path
        self._rewind()
        super().__init__(str(path), rate or _frames_per_second(self._capture), loop)

    def close(self) -> None:
        self._capture.release()

    def _next(self) -> Optional[np.ndarray]:
        return _grab(self._capture)

    def _rewind(self) -> None:
        # FFmpeg first: the others that may be built in read fewer formats, and some seek wrongly.
        for backend in (cv2.CAP_FFMPEG, cv2.CAP_GSTREAMER, cv2.CAP_ANY):
            self._capture = cv2.VideoCapture(str(self._path), backend)
            if self._capture.isOpened():
                return
        raise SourceError(f"{self._path} is no video that this OpenCV {cv2.__version__} can read")


class _Device(FrameSource):
    live = True

    def __init__(self, name: str, capture: cv2.VideoCapture, clock: Callable[[], float]) -> None:
        self._capture = capture
        super().__init__(name, _frames_per_second(capture), _grab(capture))
        self._clock = clock
        self._start = clock()

    def read(self) -> Optional[TimedPicture]:
        bgr = _grab(self._capture)
        if bgr is None:
            raise SourceError(f"{self.name} has stopped delivering pictures")
        return TimedPicture(bgr, self._clock() - self._start)

    def close(self) -> None:
        self._capture.release()


def _frames_per_second(capture: cv2.VideoCapture) -> float:
    stated = capture.get(cv2.CAP_PROP_FPS)
    return stated if 0.1 <= stated <= MOST_PER_SECOND else 30.0  # 0 or 90,000 stand for "unknown"


def _grab(capture: cv2.VideoCapture) -> Optional[np.ndarray]:
    delivered, picture = capture.read()
    return Frame.from_array(picture).bgr if delivered else None  # a pipeline may well deliver grey


def _open_camera(device: str, rate: float, size: Optional[Tuple[int, int]]) -> cv2.VideoCapture:
    """Open a V4L2 device; what it cannot do of `rate` and `size`, the driver replaces by what it can."""
    number = re.fullmatch(r"/dev/video(\d+)", os.path.realpath(device))  # /dev/v4l/by-id/… leads there too
    if number is None or not os.path.exists(device):
        there = sorted(str(path) for path in Path("/dev").glob("video*"))
        raise SourceError(f"camera {device} does not exist; there is {', '.join(there) or 'none'}")
    if not os.access(device, os.R_OK | os.W_OK):
        raise SourceError(f"camera {device} may not be used by this user, who must be in the group video")
    capture = cv2.VideoCapture(int(number.group(1)), cv2.CAP_V4L2)
    if not capture.isOpened():
        raise SourceError(
            f"camera {device} cannot be opened: another program uses it, or it takes no pictures"
        )
    # USB 2 carries a raw picture larger than 640x480 at a few per second only; those without MJPEG refuse it.
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    if rate:
        capture.set(cv2.CAP_PROP_FPS, rate)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not the oldest of four
    return capture


def _open_pipeline(pipeline: str) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(pipeline, cv2.CAP_GSTREAMER)
    if capture.isOpened():
        return capture
    reason = "the pipeline does not start; try it with gst-launch-1.0, and let it end in appsink"
    if not re.search(r"GStreamer:\s+YES", cv2.getBuildInformation()):
        reason = (
            f"this OpenCV {cv2.__version__} was built without GStreamer, as those from pip are; "
            "use the system's (apt install python3-opencv; JetPack has its own)"
        )
    raise SourceError(f"GStreamer pipeline {pipeline!r}: {reason}")
