"""Made videos show real faces where their truth says they are."""

from itertools import islice

import cv2
import numpy as np
import pytest

from lightfer_ros.benchmark import track_video, walkers
from lightfer_ros.benchmark.race import pictures
from lightfer_ros.benchmark.track_scenarios import SCENARIOS, Shot
from lightfer_ros.benchmark.track_video import frames, make_video
from lightfer_ros.benchmark.truth import read_truth
from lightfer_ros.errors import ConfigurationError, ImageError, ModelError
from lightfer_ros.perception.detection import DetectionOptions, make_detector
from lightfer_ros.perception.frame import Frame
from lightfer_ros.perception.tracking import box_iou

pytest.importorskip("skimage")
pytest.importorskip("scipy.interpolate")


def filmed(scenario, rate, seed=0, count=None):
    """A scenario's frames at a lower rate, as a list; skips the test where the photos are not here."""
    try:
        return list(islice(frames(scenario, seed, rate), count))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def detectors():
    try:
        return [
            make_detector(options)
            for options in (
                DetectionOptions("dlib_hog", upsampling=1),
                DetectionOptions("yunet", threshold=0.6),
            )
        ]
    except ModelError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", sorted({shot.background for shots in SCENARIOS.values() for shot in shots}))
def test_no_face_is_in_a_background(name, detectors, monkeypatch):
    monkeypatch.setattr(track_video, "SCENARIOS", {"empty": (Shot(name, 1.0, ()),)})
    ((picture, faces),) = filmed("empty", 1)
    assert len(faces) == 0
    for detector in detectors:
        assert len(detector.detect(Frame.from_array(picture))) == 0


@pytest.mark.parametrize("scenario", ["one_face", "six_faces"])
def test_detectors_find_every_face_where_the_truth_has_it(scenario, detectors):
    for picture, faces in filmed(scenario, rate=0.5, count=3):
        assert len(faces) == {"one_face": 1, "six_faces": 6}[scenario]
        for detector in detectors:
            overlap = box_iou(faces.boxes, detector.detect(Frame.from_array(picture)).boxes)
            assert (overlap.max(axis=1) >= 0.6).all()


def test_a_face_behind_the_pillar_is_in_no_truth_and_comes_back_under_its_id_within_a_second():
    rate = 10
    ids = [faces.ids.tolist() for _, faces in filmed("occlusion", rate)]
    assert set(map(tuple, ids)) == {(1, 2), (2,)}
    hidden = "".join("-" if 1 in frame else "h" for frame in ids).split("-")
    gaps = [len(gap) / rate for gap in hidden if gap]
    assert len(gaps) == 3 and max(gaps) <= 1.0


def test_who_leaves_the_picture_for_longer_than_a_second_comes_back_as_somebody_new():
    rate = 10
    ids = [faces.ids.tolist() for _, faces in filmed("returning", rate)]
    # The first one leaves for half a second and stays who she is.
    assert ids[0] == [1, 2] and ids[-1] == [1, 3]
    assert [2] in ids and [1] in ids
    assert not any({2, 3} <= set(frame) for frame in ids)


def test_who_turns_right_round_is_in_no_truth_meanwhile_and_comes_back_under_their_id_within_a_second():
    rate = 10
    ids = [tuple(faces.ids.tolist()) for _, faces in filmed("turning", rate)]
    assert set(ids) == {(1, 2, 3), (1, 2), (1, 3)}
    for person, times in ((2, 2), (3, 1)):
        away = "".join("-" if person in frame else "a" for frame in ids).split("-")
        gaps = [len(gap) / rate for gap in away if gap]
        assert len(gaps) == times and min(gaps) >= 0.4 and max(gaps) <= 0.9


@pytest.mark.parametrize("seconds", [2.0, 7.4])
def test_a_detector_of_turned_heads_finds_them_where_the_truth_has_them(detectors, seconds):
    picture, faces = filmed("turning", rate=1 / seconds, count=2)[1]  # two are turned: by 50 and 60, by 75
    assert len(faces) == 3
    overlap = box_iou(faces.boxes, detectors[1].detect(Frame.from_array(picture)).boxes)
    assert (overlap.max(axis=1) >= 0.55).all()


def test_other_shots_have_other_people():
    ids = [tuple(faces.ids.tolist()) for _, faces in filmed("cut", rate=2)]
    assert list(dict.fromkeys(ids)) == [(1, 2), (3, 4), (), (5,)]


def test_a_face_comes_from_40_to_250_pixels():
    sides = [faces.boxes[0, 2] - faces.boxes[0, 0] for _, faces in filmed("scale", rate=4)]
    assert min(sides) == pytest.approx(40, abs=0.5) and max(sides) == pytest.approx(250, abs=0.5)


def test_who_moves_fast_is_blurred_along_the_way(monkeypatch):
    def edges_across_and_down(shutter_s):
        monkeypatch.setattr(walkers, "SHUTTER_S", shutter_s)
        picture, faces = filmed("one_face", rate=1 / 4.35, count=2)[1]  # in the middle of a quick step aside
        x1, y1, x2, y2 = faces.boxes[0].astype(int)
        grey = cv2.GaussianBlur(cv2.cvtColor(picture[y1:y2, x1:x2], cv2.COLOR_BGR2GRAY), (0, 0), 1)
        return cv2.Sobel(grey, cv2.CV_64F, 1, 0).var(), cv2.Sobel(grey, cv2.CV_64F, 0, 1).var()

    (across, down), (sharp_across, sharp_down) = edges_across_and_down(1 / 60), edges_across_and_down(1e-6)
    assert across < 0.8 * sharp_across and down > 0.85 * sharp_down


def test_the_same_seed_gives_the_same_frames_and_another_does_not():
    first, again, other = (filmed("one_face", 30, seed, count=2) for seed in (5, 5, 6))
    for (one, faces), (two, same) in zip(first, again, strict=True):
        assert np.array_equal(one, two) and np.array_equal(faces.boxes, same.boxes)
    assert not np.array_equal(first[1][1].boxes, other[1][1].boxes)


def test_video_and_truth_have_the_same_frames(tmp_path, monkeypatch):
    monkeypatch.setattr(track_video, "SCENARIOS", {"empty": (Shot("coffee.png", 0.5, ()),)})
    make_video("empty", tmp_path / "v.mp4", tmp_path / "v.json")
    assert len(read_truth(tmp_path / "v.json").frames) == len(list(pictures(tmp_path / "v.mp4"))) == 15
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v.json", "v.mp4"]


def test_nothing_is_left_of_a_video_that_could_not_be_made(tmp_path, monkeypatch):
    with pytest.raises(ConfigurationError, match="scenario is 'x', expected one of one_face, six_faces"):
        make_video("x", tmp_path / "v.mp4", tmp_path / "v.json")
    monkeypatch.setattr(track_video, "SCENARIOS", {"empty": (Shot("coffee.png", 0.5, ()),)})
    with pytest.raises(ImageError, match="cannot be written"):
        make_video("empty", tmp_path / "nowhere" / "v.mp4", tmp_path / "v.json")
    assert not list(tmp_path.iterdir())
