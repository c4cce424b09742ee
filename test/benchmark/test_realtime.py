"""Both pipelines see the same frames, and what they did is told under the agreed names."""

import json

import cv2
import numpy as np
import pytest
from photos import photo

from lightfer_ros.benchmark.race import TURN, race
from lightfer_ros.benchmark.race_result import classification_rates
from lightfer_ros.benchmark.realtime import configured
from lightfer_ros.benchmark.tracking_metrics import Match
from lightfer_ros.benchmark.truth import TrackedBoxes, Truth, write_truth
from lightfer_ros.cli.main import main
from lightfer_ros.errors import ConfigurationError, SourceError
from lightfer_ros.perception.faces import Faces

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("scipy.optimize")

KEYS = [
    *("video", "faces", "paper_ms", "ms", "paper_fps", "fps", "speedup"),
    *("recall", "paper_recall", "precision", "paper_precision", "landmark_nme"),
    *("idf1", "id_switches", "classifications_per_second"),
]

FPS, COUNT = 30, 2 * 30


@pytest.fixture(scope="module")
def moving_photo(tmp_path_factory):
    """A photo of one man that shifts by a pixel a frame, and its truth by HOG on the first frame."""
    folder = tmp_path_factory.mktemp("video")
    picture = cv2.resize(photo("photo_single_face"), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(str(folder / "v.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (400, 390))
    for index in range(COUNT):
        shift = np.array([[1, 0, index * 0.5], [0, 1, 0]])
        writer.write(cv2.warpAffine(picture, shift, (400, 390), borderMode=cv2.BORDER_REPLICATE))
    writer.release()
    box = 0.7 * np.array([[172, 190, 388, 406]])
    frames = [TrackedBoxes(np.array([4]), box + [index * 0.5, 0, index * 0.5, 0]) for index in range(COUNT)]
    write_truth(Truth(FPS, tuple(frames)), folder / "v.json")
    return folder


def test_the_numbers_are_told_under_the_agreed_names(moving_photo, capsys):
    words = ["--video", str(moving_photo / "v.mp4"), "--truth", str(moving_photo / "v.json"), "--json"]
    assert main(["benchmark", "realtime", *words]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert list(row) == KEYS
    assert row["video"] == "v.mp4" and row["faces"] == 1
    assert row["recall"] == row["paper_recall"] == row["precision"] == row["idf1"] == 1.0
    assert row["id_switches"] == 0
    assert row["speedup"] == pytest.approx(row["paper_ms"] / row["ms"], abs=1e-3)
    assert row["paper_fps"] == pytest.approx(1000 / row["paper_ms"], rel=1e-3)
    assert 0 < row["classifications_per_second"] <= FPS
    assert 0 <= row["landmark_nme"] < 0.1


class Recording:
    """Stands for a pipeline: notes what it is shown."""

    def __init__(self):
        self.shown, self.resets, self.stage_seconds = [], 0, {}

    def process(self, bgr, stamp=None):
        self.shown.append((int(bgr[0, 0, 0]), stamp))
        if len(self.shown) % 2:
            self.stage_seconds = {"detect": 0.5}
        else:
            self.stage_seconds = {}
        return Faces.empty()

    def refine(self):
        self.stage_seconds = {**self.stage_seconds, "refine": 0.25}

    def reset(self):
        self.resets += 1


def test_each_sees_every_frame_once_in_order_after_a_warm_up(tmp_path):
    count = 2 * TURN + 3
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    for index in range(count):
        writer.write(np.full((64, 64, 3), 5 * index, np.uint8))
    writer.release()
    paper, ours = Recording(), Recording()
    paper_run, our_run = race(tmp_path / "v.avi", 10.0, paper, ours)
    for contestant in (paper, ours):
        shades = np.array([shade for shade, _ in contestant.shown[TURN:]])
        assert np.abs(shades - 5 * np.arange(count)).max() <= 2  # JPEG is not exact
    assert [stamp for _, stamp in ours.shown[TURN:]] == [index / 10 for index in range(count)]
    assert ours.resets == 1
    assert len(paper_run.faces) == len(our_run.faces) == len(our_run.seconds) == count
    # The warm-up was odd in number: the first frame counted is an even one.
    assert our_run.stages["detect"][:4] == [0.0, 0.5, 0.0, 0.5] and len(our_run.stages["detect"]) == count


def test_a_file_that_is_no_video_is_named(tmp_path):
    with pytest.raises(SourceError, match="no picture can be read"):
        race(tmp_path / "nothing.mp4", 30.0, Recording(), Recording())


def rates(ages, ids=(1,)):
    """Classification rate of faces seen at 30 frames a second that report these ages (None: not found)."""
    here = TrackedBoxes(np.array(ids), np.array([[0, 0, 10, 10]]))
    faces = [
        Faces(boxes=here.boxes, classification_age=np.array([age])) if age is not None else Faces.empty()
        for age in ages
    ]
    matches = [Match(np.array([[0, 0]] if len(found) else []).reshape(-1, 2)) for found in faces]
    return classification_rates([here] * len(ages), faces, matches, 30.0)


def test_a_face_classified_in_every_frame_is_classified_at_the_frame_rate():
    assert rates([0.0] * 60) == {1: pytest.approx(30)}


def test_an_older_classification_reported_again_counts_once():
    assert rates([0.0, 1 / 30, 2 / 30] * 20) == {1: pytest.approx(10)}


def test_a_face_in_view_that_is_not_found_is_not_classified():
    assert rates([0.0] * 30 + [None] * 30) == {1: pytest.approx(15)}


def test_a_report_without_classification_counts_nothing():
    assert rates([float("nan")] * 60) == {1: 0.0}


def test_a_glimpse_has_no_rate():
    assert rates([0.0] * 29) == {}


def test_settings_are_given_by_name():
    config = configured(["detector=yunet", "detection_interval_s=0.5", "max_faces=3"])
    assert (config.detector, config.detection_interval_s, config.max_faces) == ("yunet", 0.5, 3)


@pytest.mark.parametrize(
    "word, says",
    [
        ("speed=9", "--set speed=9: expected NAME=VALUE; names: model, "),
        ("detector", "detector is ''"),
        ("max_faces=many", "max_faces is 'many', expected 1 to 256"),
        ("max_faces=999", "max_faces is 999, expected 1 to 256"),
    ],
)
def test_a_wrong_setting_is_named(word, says):
    with pytest.raises(ConfigurationError, match=says):
        configured([word])


def test_a_video_without_truth_is_refused(capsys):
    assert main(["benchmark", "realtime", "--video", "v.mp4"]) == 2
    assert "--video and --truth belong together" in capsys.readouterr().err
