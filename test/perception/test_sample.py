"""The sample video: what its record promises is what one sees in it."""

import json

import cv2
import numpy as np
import pytest

from lightfer_ros.errors import ImageError
from lightfer_ros.model.manifest import find, locate, read_manifest
from lightfer_ros.model.metadata import metadata_path
from lightfer_ros.perception import sample


@pytest.fixture(scope="module")
def video():
    path = locate("sample")
    if path is None:
        pytest.skip("the sample video is not here: `lightfer fetch`")
    return path


@pytest.fixture(scope="module")
def record(video):
    return json.loads(metadata_path(video).read_text())


def frames_at(video, seconds):
    capture = cv2.VideoCapture(str(video))
    for second in seconds:
        capture.set(cv2.CAP_PROP_POS_FRAMES, round(second * sample.RATE))
        yield capture.read()[1]


def faces_in(frame):
    detector = cv2.FaceDetectorYN.create(str(find("yunet")), "", (sample.WIDTH, sample.HEIGHT), 0.8)
    _, faces = detector.detect(frame)
    return [] if faces is None else list(faces)


def test_it_is_a_video_of_the_size_rate_and_length_recorded(video, record):
    capture = cv2.VideoCapture(str(video))
    assert capture.get(cv2.CAP_PROP_FRAME_WIDTH) == record["width"] == 640
    assert capture.get(cv2.CAP_PROP_FRAME_HEIGHT) == record["height"] == 480
    assert capture.get(cv2.CAP_PROP_FPS) == record["rate"] == 30
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == record["frames"]
    assert record["parts"][0]["start"] == 0 and record["parts"][-1]["end"] == record["frames"] / 30
    assert sample.is_current(video)


def test_several_people_are_there_at_once_and_large_enough_for_dlib(video):
    for frame in frames_at(video, (0.5, 3.0, 6.0)):
        faces = faces_in(frame)
        assert len(faces) == 5
        assert min(face[3] for face in faces) > 70  # YuNet's height, brow to chin


@pytest.mark.parametrize("part", sample.SHOTS, ids=lambda shot: shot.source)
def test_each_shot_shows_whom_it_names(video, part):
    start = sum(shot.seconds for shot in sample.SHOTS[: sample.SHOTS.index(part)])
    people = {"photo_multi_face": 4, "clip_expression": 1, "clip_smile": 1, "clip_appears": 1}
    (frame,) = frames_at(video, [start + 0.8 * part.seconds])
    found = len(faces_in(frame))
    assert found >= people[part.source] if part.source in people else found == 0


def test_it_is_made_the_same_way_twice(tmp_path, monkeypatch):
    sources = {name: locate(name) for name in read_manifest()["sample"].made_from}
    if None in sources.values():
        pytest.skip("the clips are not here: `lightfer fetch`")
    shots = [sample.dataclasses.replace(shot, seconds=0.2) for shot in sample.SHOTS]
    monkeypatch.setattr(sample, "SHOTS", tuple(shots))
    for name in ("a.mp4", "b.mp4"):
        sample.make(sources, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a.mp4.json", "b.mp4", "b.mp4.json"]


def test_a_source_that_is_no_video_is_refused_by_name(tmp_path, monkeypatch):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(np.zeros(100, np.uint8).tobytes())
    monkeypatch.setattr(sample, "SHOTS", (sample.Shot("x", "clip", 0.1, (0, 0, 64), (0, 0, 64)),))
    with pytest.raises(ImageError, match=r"broken\.mp4 cannot be read as a picture or a video"):
        sample.make({"clip": broken}, tmp_path / "sample.mp4")
