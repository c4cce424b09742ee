"""Pictures without a ROS driver: every kind of source, its ends and its refusals."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from lightfer_ros.errors import ConfigurationError, SourceError
from lightfer_ros.model import manifest
from lightfer_ros.perception.video import find_pictures, open_source


def plain(value: int) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good pictures, a broken one between them, and a file that is no picture."""
    for name, value in (("a.png", 10), ("c.png", 30), ("d.PNG", 40)):
        cv2.imwrite(str(tmp_path / name), plain(value))
    (tmp_path / "b.jpg").write_bytes(b"not a picture")
    (tmp_path / "notes.txt").write_text("nothing to see")
    return tmp_path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Five pictures at 10 per second, each brighter than the one before."""
    path = tmp_path / "five.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for value in range(0, 250, 50):
        writer.write(plain(value))
    writer.release()
    return path


def read_all(source, most: int = 100):
    pictures = []
    while len(pictures) < most:
        picture = source.read()
        if picture is None:
            break
        pictures.append(picture)
    return pictures


def test_a_folder_plays_its_pictures_by_name_and_names_the_broken_one_once(folder, caplog):
    with caplog.at_level(logging.WARNING), open_source(str(folder), loop=True, rate=4) as source:
        pictures = read_all(source, most=6)
    assert [int(bgr[0, 0, 0]) for bgr, _ in pictures] == [10, 30, 40, 10, 30, 40]
    assert [seconds for _, seconds in pictures] == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert (source.width, source.height, source.fps, source.live) == (64, 48, 4, False)
    (warning,) = caplog.records
    assert "b.jpg" in warning.message


def test_a_folder_without_loop_ends_with_none_and_stays_there(folder):
    source = open_source(str(folder))
    assert len(read_all(source)) == 3
    assert source.read() is None


def test_a_folder_of_broken_pictures_is_refused(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(SourceError, match="no picture can be read"):
        open_source(str(tmp_path), loop=True)
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))


def test_one_picture_is_a_source_too():
    path = manifest.find("photo_single_face")
    source = open_source(str(path), loop=True, rate=30)
    (first, _), (second, seconds) = read_all(source, most=2)
    assert np.array_equal(first, second) and seconds == 1 / 30
    assert path in find_pictures(path.parent)


def test_a_video_plays_at_its_own_rate_or_at_the_one_asked_for(video):
    pictures = read_all(open_source(str(video)))
    assert [round(float(bgr.mean()), -1) for bgr, _ in pictures] == [0, 50, 100, 150, 200]
    assert [seconds for _, seconds in pictures] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert open_source(str(video), rate=25).fps == 25


def test_a_looped_video_starts_again_and_its_time_goes_on(video):
    pictures = read_all(open_source(str(video), loop=True), most=12)
    assert np.array_equal(pictures[1].bgr, pictures[6].bgr) and np.array_equal(
        pictures[1].bgr, pictures[11].bgr
    )
    assert [seconds for _, seconds in pictures] == pytest.approx([i / 10 for i in range(12)])


def test_the_sample_video_plays():
    with open_source("sample") as source:
        picture = source.read()
    assert picture.bgr.shape == (source.height, source.width, 3) and picture.bgr.dtype == np.uint8
    assert 10 <= source.fps <= 60


def test_a_file_that_is_no_video_is_refused_by_name(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 10)
    with pytest.raises(SourceError, match=r"film\.mp4"):
        open_source(str(path))


@pytest.mark.parametrize("source", ["", "no/such/file.mp4", "sampel"])
def test_what_is_nothing_is_refused_with_what_could_be(source):
    with pytest.raises(SourceError, match="expected sample, a camera"):
        open_source(source)


@pytest.mark.parametrize("source", ["77", "/dev/video77", "/dev/null"])
def test_a_camera_that_is_not_there_is_refused_with_those_that_are(source):
    with pytest.raises(SourceError, match="does not exist; there is"):
        open_source(source)


@pytest.mark.parametrize(
    "wrong",
    [{"rate": -1}, {"rate": float("nan")}, {"rate": 2000}, {"size": (0, 480)}, {"size": (640, 99_999)}],
)
def test_a_rate_or_size_out_of_range_is_refused(wrong, video):
    with pytest.raises(ConfigurationError, match="expected"):
        open_source(str(video), **wrong)


def test_a_gstreamer_pipeline_plays_or_the_error_says_why_not():
    pipeline = "videotestsrc num-buffers=2 ! videoconvert ! video/x-raw,format=BGR ! appsink"
    if re.search(r"GStreamer:\s+YES", cv2.getBuildInformation()):
        assert open_source(pipeline).read().bgr.ndim == 3
    else:
        with pytest.raises(SourceError, match="built without GStreamer"):
            open_source(pipeline)


class Camera:
    """Stands for cv2.VideoCapture on a V4L2 device: three pictures, then it is unplugged."""

    def __init__(self, index: int, backend: int) -> None:
        assert (index, backend) == (0, cv2.CAP_V4L2)
        self.asked = {}
        self.pictures = [plain(10), plain(20), plain(30)]

    def isOpened(self) -> bool:
        return True

    def set(self, what: int, value: float) -> bool:
        self.asked[what] = value
        return True

    def get(self, what: int) -> float:
        return self.asked.get(what, 0.0)

    def read(self):
        return (True, self.pictures.pop(0)) if self.pictures else (False, None)

    def release(self) -> None:
        self.pictures = []


def test_an_unplugged_camera_is_an_error_that_names_it_and_its_times_come_from_the_clock(monkeypatch):
    monkeypatch.setattr("os.path.exists", lambda path: path == "/dev/video0")
    monkeypatch.setattr("os.access", lambda path, mode: True)
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    ticks = iter([100.0, 100.5, 102.0])
    source = open_source("0", size=(640, 480), rate=15, clock=lambda: next(ticks))
    assert (source.live, source.fps, source.width) == (True, 15, 64)
    # The first picture was used to see that there is one; it would be old by now.
    assert [(int(bgr[0, 0, 0]), seconds) for bgr, seconds in (source.read(), source.read())] == [
        (20, 0.5),
        (30, 2),
    ]
    with pytest.raises(SourceError, match="/dev/video0 has stopped"):
        source.read()
    source.close()
    source.close()
